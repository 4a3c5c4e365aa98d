"""Where the response time went: network, application, database, as the responses told it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np

from qa_runner.report.format import number, quantity
from qa_runner.report.source import Source, StepData, response_seconds
from qa_runner.table import Floats, Table

__all__ = [
    "COLUMNS",
    "Inside",
    "any_told",
    "inside",
    "inside_of_parts",
    "inside_of_run",
    "remark",
    "row",
]

COLUMNS = [
    "part",
    "requests",
    "response time, mean",
    "network",
    "application",
    "database",
    "database p(95)",
    "queries, median",
    "queries, most",
]


@dataclass(frozen=True, slots=True)
class Inside:
    """Of the ``requests`` whose responses told it. Means, in seconds, that add up to the mean
    response time; NaN where nothing was told.

    ``network`` is all that is outside the application: waiting to be sent, connecting, transfer,
    waiting for a worker. ``application`` is without the database; where only the time in the
    database was told, it is all the rest, and where only that in the application was, it is with
    the database.
    """

    requests: int
    network: float
    application: float
    database: float
    database_p95: float
    queries_median: float
    queries_most: float

    @property
    def response(self) -> float:
        """The mean response time, in seconds."""
        known = (self.network, self.application, self.database)
        return sum(seconds for seconds in known if isfinite(seconds))


def any_told(samples: Table) -> bool:
    """Whether any response told a time inside the server, or its number of queries."""
    columns = ("application_seconds", "database_seconds", "queries")
    return any(bool(np.isfinite(samples.number(name)).any()) for name in columns)


def inside(samples: Table) -> Inside | None:
    """Of these requests; None if no response told a time."""
    response = response_seconds(samples)
    application = samples.number("application_seconds")
    database = samples.number("database_seconds")
    told = np.isfinite(application)
    if not told.any():
        told = np.isfinite(database)
    told &= np.isfinite(response)
    if not told.any():
        return None
    response, application, database = response[told], application[told], database[told]
    # What a server says of itself, on a clock of its own, is never more than the whole.
    application = np.minimum(application, response)
    known = np.isfinite(database)
    spent = np.minimum(np.where(known, database, 0.0), np.fmin(application, response))
    whole = np.isfinite(application).all()
    queries = samples.number("queries")[told]
    queries = queries[np.isfinite(queries)]
    return Inside(
        requests=int(told.sum()),
        network=_mean(response - application) if whole else nan,
        application=_mean((application if whole else response) - spent),
        database=_mean(spent) if known.any() else nan,
        database_p95=float(np.percentile(database[known], 95)) if known.any() else nan,
        queries_median=float(np.median(queries)) if queries.size else nan,
        queries_most=float(queries.max()) if queries.size else nan,
    )


def _mean(values: Floats) -> float:
    return float(values.mean())


def inside_of_parts(data: StepData) -> list[tuple[str, Inside]]:
    """Of the judged requests of each part that has some, with the part's number and title."""
    found = ((part, inside(data.main(part.id))) for part in data.parts_with_samples())
    return [(f"{part.id} {part.title}", held) for part, held in found if held is not None]


def inside_of_run(source: Source) -> list[tuple[str, Inside]]:
    """Of all steps, in their latest attempts."""
    steps = (source.step(step) for step in source.run.steps)
    return [held for data in steps if data is not None for held in inside_of_parts(data)]


def remark(parts: Iterable[Inside]) -> str:
    """What the times of these parts do not tell apart; empty if they do."""
    listed = list(parts)
    said = []
    if not all(isfinite(held.network) for held in listed):
        said.append(
            "Where only the time in the database was told, the application is all the rest, the "
            "network included."
        )
    if not all(isfinite(held.database) for held in listed):
        said.append(
            "Where no time in the database was told, it is part of that in the application."
        )
    return " ".join(said)


def row(label: str, held: Inside) -> list[str]:
    """The cells below COLUMNS."""
    times = (held.response, held.network, held.application, held.database, held.database_p95)
    return [
        label,
        number(held.requests, 9),
        *(quantity(seconds, "s") for seconds in times),
        *(quantity(count, "count") for count in (held.queries_median, held.queries_most)),
    ]
