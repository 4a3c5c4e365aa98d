"""A stored run as the rules look at it: by part and by step, with samples and series cut out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, urlsplit

import numpy as np

from qa_runner.criteria import CriterionResult
from qa_runner.report.source import Source, StepData, succeeded
from qa_runner.result import Attempt, Cell, LoadResult, RunResult, StepResult
from qa_runner.stop import NOT_ENDED, PROTECTED, not_finished
from qa_runner.table import Floats, Mask, Table
from qa_runner.verdict import Verdict

__all__ = ["BUDGET", "RATE_LIMIT", "Evidence", "Owner", "address", "known", "matches"]

BUDGET = "error budget of the environment"
RATE_LIMIT = "a rate limit answers"
"""What the reason says when errors have stopped a run."""
_ERRORS = ("ERROR", "CRITICAL")
_LOG_NAME = re.compile(r"(?P<name>.+?)(?:, [\d.]+ MB;| is not there yet)")
_LATE_SECONDS = 1.0
"""A record of the log is seen up to a moment after it was written."""


@dataclass(frozen=True)
class Owner:
    """A part, or a step as a whole: what owns criteria, and what was measured meanwhile.

    ``samples`` are those of every role; ``session`` are the series of the whole session;
    ``stopped`` are the words for it if errors stopped the run for the target's sake.
    """

    id: str
    step: StepResult
    attempt: Attempt
    start: float
    end: float
    results: list[CriterionResult]
    samples: Table
    session: dict[str, Table]
    loads: list[LoadResult]
    stopped: tuple[str, ...]

    @property
    def is_part(self) -> bool:
        """Whether it is a part, not the step that sums up its parts."""
        return "." in self.id

    @property
    def anchor(self) -> str:
        """Where the page shows it."""
        return f"part-{self.id}" if self.is_part else f"step-{self.id}"

    @property
    def failed(self) -> list[CriterionResult]:
        """The criteria that failed."""
        return [result for result in self.results if result.verdict is Verdict.FAIL]

    def failing(self, *metrics: str) -> list[CriterionResult]:
        """The criteria of these metrics that failed."""
        return [result for result in self.failed if result.metric in metrics]

    @cached_property
    def main(self) -> Mask:
        """Which samples are judged."""
        return self.samples.text_equals("role", "main")

    @cached_property
    def good(self) -> Mask:
        """Which samples succeeded."""
        return succeeded(self.samples)

    @cached_property
    def service_seconds(self) -> Floats:
        """Finished minus started of each sample, NaN where it has no end."""
        return self.samples.number("finished") - self.samples.number("started")

    def series(self, name: str, before: float = 0.0, after: float = 0.0) -> Table:
        """A series while this ran, and so many seconds before and after."""
        return self.session[name].between(self.start - before, self.end + after)

    def cpu_percent(self) -> float | None:
        """Median CPU of the server between the first request and the last answer."""
        due, finished = known(self.samples.number("due")), known(self.samples.number("finished"))
        if not due.size or not finished.size:
            return None
        # A burst is over before CPU is read twice; the reading after it covers it.
        window = self.session["server"].between(float(due.min()), float(finished.max()) + 0.25)
        values = known(window.number("cpu_percent"))
        return float(np.median(values)) if values.size else None

    def logged(self, kinds: Iterable[str]) -> list[str]:
        """The texts of the log's records of these kinds meanwhile."""
        log = self.series("log", after=_LATE_SECONDS)
        return log.where(log.text_among("kind", tuple(kinds))).text("text")

    def errors_logged(self) -> list[str]:
        """The texts of the log's errors meanwhile."""
        log = self.series("log", after=_LATE_SECONDS)
        return log.where(log.text_among("level", _ERRORS)).text("text")


class Evidence:
    """The run and its owners of criteria: of the latest attempts, each part, then its step."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.run: RunResult = source.run

    @cached_property
    def owners(self) -> tuple[Owner, ...]:
        """Parts and steps in the order of the test case."""
        found: list[Owner] = []
        for step in self.run.steps:
            data = self.source.step(step)
            if data is not None:
                found += self._owners(data)
        return tuple(found)

    def _owners(self, data: StepData) -> list[Owner]:
        attempt = data.attempt
        stopped = self.stop_words if self._stopped_by_errors else ()
        session = {
            name: table.where(table.number("session") == attempt.session)
            for name, table in self.source.series.items()
        }

        def owner(
            name: str,
            span: tuple[float, float],
            results: list[CriterionResult],
            samples: Table,
            loads: Sequence[LoadResult],
        ) -> Owner:
            return Owner(
                name, data.step, attempt, *span, results, samples, session, list(loads), stopped
            )

        parts = [
            owner(
                part.id,
                (part.start, part.end),
                part.criteria,
                data.samples.where(data.samples.text_equals("part", part.id)),
                part.loads,
            )
            for part in attempt.parts
        ]
        span = attempt.start, self.source.end(attempt)
        whole = owner(str(data.step.number), span, attempt.criteria, data.samples, data.loads())
        return [*parts, whole]

    @property
    def stop_words(self) -> tuple[str, ...]:
        """What stands at what was not finished because the run ended early, or has not ended."""
        run = self.run
        if run.status == "running":
            return (NOT_ENDED,)
        ended = run.status in ("stopped", "interrupted") and run.stop_reason
        # Runs that are stored have left things open in either words.
        return (run.stop_reason, not_finished(run.stop_reason), PROTECTED) if ended else ()

    @property
    def _stopped_by_errors(self) -> bool:
        why = self.run.stop_reason
        by_errors = BUDGET in why or why.startswith(RATE_LIMIT)
        return self.run.status == "stopped" and by_errors

    @property
    def ad_hoc(self) -> bool:
        """Whether it is a load on one address, without a test case and its settings."""
        return not self.run.profile

    @property
    def log_name(self) -> str:
        """The file name of the server's log, as the check before the run told it; or empty."""
        texts = [check.text for check in self.run.checks if check.id == "server-log"]
        found = _LOG_NAME.match(texts[0]) if texts else None
        return found["name"] if found else ""

    @property
    def parts(self) -> list[Owner]:
        """The owners that are parts."""
        return [owner for owner in self.owners if owner.is_part]

    def results(self, *verdicts: Verdict) -> list[CriterionResult]:
        """The criteria of the run with these verdicts."""
        return [result for result in self.run.criteria() if result.verdict in verdicts]

    def fact(self, table: str, name: str) -> Cell:
        """What a part stored in a table of names and values; None if it did not."""
        for step in self.run.steps:
            for part in step.latest.parts if step.latest else []:
                for held in part.tables:
                    if held.name == table:
                        for row in held.rows:
                            if row and row[0] == name:
                                return row[1]
        return None


def address(url: str) -> SplitResult:
    """The parts of an address; all empty if it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def known(values: Floats) -> Floats:
    """The finite ones."""
    return values[np.isfinite(values)]


def matches(samples: Table, pattern: re.Pattern[str], *columns: str) -> Mask:
    """Mask, shape (rows,), of the rows of which one of the text columns has the pattern."""
    mask = np.zeros(len(samples), dtype=bool)
    for column in columns:
        codes, texts = samples.coded(column)
        if codes.size:
            mask |= np.array([bool(pattern.search(text)) for text in texts])[codes]
    return mask
