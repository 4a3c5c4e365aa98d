"""What a report is made from: the result, samples and series of one run folder, cleaned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from qa_runner.errors import RunFolderError
from qa_runner.report.attempts import unfinished
from qa_runner.report.text import clean
from qa_runner.result import (
    Attempt,
    Cell,
    LoadResult,
    PartResult,
    RunResult,
    Session,
    StepResult,
    Window,
)
from qa_runner.store import RunReader
from qa_runner.table import SAMPLES, SERIES, Floats, Mask, Table

__all__ = [
    "SINGLE_ROLES",
    "Source",
    "StepData",
    "answered",
    "answered_seconds",
    "counted",
    "response_seconds",
    "succeeded",
]

SINGLE_ROLES = ("probe", "follow-up")
"""Roles of requests that are sent one by one to see how the target is; they are no load."""

# run.json names the file; a folder that was tampered with must not make us read another one.
# CSV is what older versions wrote.
_SAMPLES_NAME = re.compile(r"samples/[A-Za-z0-9_.-]+\.(?:npy|csv)\Z")
_UNANSWERED = ("dropped", "cancelled", "connection error")
# What the report shows of a sample; cleaning the others would be for nothing.
_SHOWN = ("part", "role", "tag", "outcome", "error", "excerpt")


class Source:
    """A run folder, read once.

    Raises RunFolderError, here or when a table is first asked for, if what is there is damaged.
    """

    def __init__(self, reader: RunReader) -> None:
        self.reader = reader
        self.run: RunResult = msgspec.convert(
            clean(msgspec.to_builtins(reader.result())), RunResult
        )
        self._files: dict[str, Table] = {}
        self._samples: dict[tuple[str, int], Table] = {}

    @cached_property
    def all_samples(self) -> Table:
        """Those of every attempt."""
        return Table.concatenate(SAMPLES, [self._file(n) for n in self.reader.sample_names()])

    @cached_property
    def series(self) -> dict[str, Table]:
        """The monitors' series by name, over all sessions."""
        read = {name: self.reader.series(name) for name in SERIES}
        return {name: held.with_texts(clean, held.columns.texts) for name, held in read.items()}

    def _file(self, name: str) -> Table:
        if name not in self._files:
            self._files[name] = self.reader.samples(name).with_texts(clean, _SHOWN)
        return self._files[name]

    def samples(self, attempt: Attempt) -> Table:
        """The samples of an attempt; empty if it has none.

        A run that was killed can leave rows of an earlier session in the same file. They are on
        another clock and belong to other loads, so they are left out.
        """
        name = attempt.samples
        key = name, attempt.session
        if key not in self._samples:
            if name and not _SAMPLES_NAME.match(name):
                raise RunFolderError(f"{self.reader.folder} is damaged: samples are in '{name}'")
            read = self._file(name) if name else Table(SAMPLES)
            self._samples[key] = read.where(read.number("session") == attempt.session)
        return self._samples[key]

    def end(self, attempt: Attempt) -> float:
        """When an attempt was over; the last that is known of one that did not finish."""
        if not unfinished(attempt):
            return attempt.end
        samples = self.samples(attempt)
        times = np.concatenate([samples.number("due"), samples.number("finished")])
        known: list[float] = times[np.isfinite(times)].tolist()
        return max([attempt.end, *(part.end for part in attempt.parts), *known])

    def session(self, number: float) -> Session | None:
        """The session of this number."""
        return next((held for held in self.run.sessions if held.id == number), None)

    def step(self, step: StepResult) -> StepData | None:
        """What the latest attempt of a step measured; None if it never ran."""
        attempt = step.latest
        if attempt is None:
            return None
        window = {}
        for name, table in self.series.items():
            mine = table.where(table.number("session") == attempt.session)
            window[name] = mine.between(attempt.start, self.end(attempt))
        return StepData(self.run, step, attempt, self.samples(attempt), window)


@dataclass(frozen=True)
class StepData:
    """One step's latest attempt with its samples, and the series cut to its time."""

    run: RunResult
    step: StepResult
    attempt: Attempt
    samples: Table
    series: dict[str, Table]

    def main(self, part: str = "") -> Table:
        """The judged samples, of one part or of all."""
        mask = self.samples.text_equals("role", "main")
        if part:
            mask &= self.samples.text_equals("part", part)
        return self.samples.where(mask)

    def single(self) -> tuple[Table, Table]:
        """The samples of single requests beside and after a load, and all the others."""
        mask = self.samples.text_among("role", SINGLE_ROLES)
        return self.samples.where(mask), self.samples.where(~mask)

    def window(self, name: str) -> Window | None:
        """The stretch of time that the step marked with this name; None if it did not."""
        named = (held for part in self.attempt.parts for held in part.windows if held.name == name)
        return next(named, None)

    def parts_with_samples(self) -> list[PartResult]:
        """The parts that have judged samples, in order."""
        present = self.main().distinct("part")
        return [part for part in self.attempt.parts if part.id in present]

    def loads(self) -> list[LoadResult]:
        """Every load of the attempt."""
        return [load for part in self.attempt.parts for load in part.loads]

    def limit(self, metric: str, aggregate: str = "", part: str = "") -> float | None:
        """The upper limit of the first criterion of a metric, in its base unit.

        Without an ``aggregate``, of one that can be drawn over the values: a limit of their
        spread or their trend cannot.
        """
        for result in self.step.criteria():
            # One with a tag is of some of the requests, and would be drawn over all of them.
            if (
                result.metric == metric
                and not result.tag
                and (result.aggregate == aggregate if aggregate else _on_scale(result.aggregate))
                and (not part or result.id.startswith(f"{part}-"))
                and result.operator.startswith("<")
            ):
                return result.limit * _SCALE.get(result.unit, 1.0)
        return None

    def stored(self, name: str) -> list[dict[str, Cell]]:
        """The rows, by column, of the table that the attempt stored under this name.

        What was judged stands there; empty if it stored none.
        """
        tables = (table for part in self.attempt.parts for table in part.tables)
        table = next((table for table in tables if table.name == name), None)
        return [dict(zip(table.columns, row, strict=False)) for row in table.rows] if table else []


_SCALE = {"ms": 1e-3, "us": 1e-6, "min": 60.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "MiB": 2.0**20}


def counted(attempt: Attempt) -> int:
    """How many requests the run counted; the folder may hold fewer of them by now."""
    loads = (load for part in attempt.parts for load in part.loads)
    return sum(sum(load.outcomes.values()) for load in loads)


def response_seconds(samples: Table) -> Floats:
    """Finished minus due of each sample, NaN where it has no end."""
    return samples.number("finished") - samples.number("due")


def answered(samples: Table) -> Mask:
    """Mask of the samples that have a response time, as the criteria count them."""
    return ~samples.text_among("outcome", _UNANSWERED)


def answered_seconds(samples: Table) -> Floats:
    """Response time of each sample, NaN where there was no answer.

    A connection that was refused at once must not make a server look quick.
    """
    return np.where(answered(samples), response_seconds(samples), np.nan)


def succeeded(samples: Table) -> Mask:
    """Mask of the samples that succeeded."""
    return samples.text_equals("outcome", "success")


def _on_scale(aggregate: str) -> bool:
    """Whether an aggregate lies on the scale of the values themselves."""
    return aggregate not in ("stddev", "drift", "range", "growth", "slope")
