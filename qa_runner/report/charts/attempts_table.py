"""The run at a glance as a table: each attempt of a step with what its charts show."""

from __future__ import annotations

import numpy as np

from qa_runner.report.attempts import shown_verdict, unfinished
from qa_runner.report.format import duration, quantity, wall_time
from qa_runner.report.source import Source, answered_seconds, succeeded
from qa_runner.result import Attempt
from qa_runner.table import Floats

__all__ = ["COLUMNS", "by_attempt"]

COLUMNS = [
    "step",
    "attempt",
    "began",
    "took",
    "verdict",
    "requests",
    "without success",
    "response time p(95)",
    "server CPU, most",
    "memory at the end",
    "rows added",
    "connections, most",
]
_ABSENT = "\u2013"


def by_attempt(source: Source) -> list[list[str]]:
    """A row for each attempt of each step; what was not measured is a dash."""
    return [
        _row(source, f"{step.number} {step.title}", attempt)
        for step in source.run.steps
        for attempt in step.attempts
    ]


def _row(source: Source, name: str, attempt: Attempt) -> list[str]:
    samples = source.samples(attempt)
    times = _known(answered_seconds(samples))
    ended = "did not finish" if unfinished(attempt) else duration(attempt.end - attempt.start)
    memory, rows = _during(source, attempt, "server.rss_bytes"), _added(source, attempt)
    return [
        name,
        str(attempt.number),
        wall_time(source.session(attempt.session), attempt.start),
        ended,
        shown_verdict(attempt).value,
        f"{len(samples):,}",
        f"{np.count_nonzero(~succeeded(samples)):,}",
        quantity(float(np.percentile(times, 95)), "s") if times.size else _ABSENT,
        _most(_during(source, attempt, "server.cpu_percent"), "%"),
        quantity(float(memory[-1]), "bytes") if memory.size else _ABSENT,
        quantity(float(rows[-1] - rows[0]), "count") if rows.size else _ABSENT,
        _most(_connections(source, attempt), "count"),
    ]


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _during(source: Source, attempt: Attempt, column: str) -> Floats:
    """What a series ("server.cpu_percent") had from the attempt's begin to its end."""
    name, _, wanted = column.partition(".")
    table = source.series[name]
    mine = table.where(table.number("session") == attempt.session)
    return _known(mine.between(attempt.start, source.end(attempt)).number(wanted))


def _added(source: Source, attempt: Attempt) -> Floats:
    return _during(source, attempt, "database.transactions_added")


def _connections(source: Source, attempt: Attempt) -> Floats:
    """By whichever source counts them."""
    counted = _during(source, attempt, "database.connections")
    return counted if counted.size else _during(source, attempt, "server.database_handles")


def _most(values: Floats, unit: str) -> str:
    return quantity(float(values.max()), unit) if values.size else _ABSENT
