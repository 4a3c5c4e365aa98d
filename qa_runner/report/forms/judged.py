"""The criteria of a run as test results, for what continuous integration reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from qa_runner.criteria import CriterionResult
from qa_runner.report.attempts import step_verdict
from qa_runner.report.criteria import measured_text
from qa_runner.report.format import quantity
from qa_runner.report.source import Source
from qa_runner.result import Attempt, PartResult, RunResult, StepResult
from qa_runner.stop import NOT_ENDED
from qa_runner.verdict import Verdict, combine

__all__ = ["UNENDED", "Judged", "Place", "judged"]

UNENDED = f"{NOT_ENDED[:1].upper()}{NOT_ENDED[1:]}."
"""In place of the reason, which only the end of a run stores."""

_ORDER = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.SKIPPED)
_OWNER = re.compile(r"(\d+)(?:\.\d+)?(?=-)")


@dataclass(frozen=True)
class Place:
    """What was judged: a part, a step (``part`` is empty) or the run (``step`` is 0 as well).

    ``titles`` are those of the step and the part; ``start`` and ``end`` are seconds on the clock
    of the session, which is 0 if nothing was measured.
    """

    step: int = 0
    part: str = ""
    titles: tuple[str, ...] = ()
    attempt: int = 0
    session: int = 0
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True)
class Judged:
    """One result. ``name`` is the criterion's id, the same in every run of the case.

    ``message`` is one line: measured against limit, or why there is nothing to compare.
    ``seconds`` are those of the part at its first result, and 0 at the others, so that sums are
    right.
    """

    name: str
    verdict: Verdict
    message: str
    place: Place = Place()
    seconds: float = 0.0
    criterion: CriterionResult | None = None


def _compared(result: CriterionResult) -> str:
    """Measured against limit: "measured 80 %, limit == 100 %"."""
    limit = f"limit {result.operator} {quantity(result.limit, result.unit)}"
    return f"measured {measured_text(result)}, {limit}"


def judged(source: Source) -> list[Judged]:
    """The results of the latest attempts in the document's order; what does not count is SKIPPED.

    Together they are never better than the run: what ended a part, a step or the run itself
    without a criterion that says so has a result of its own.
    """
    run = source.run
    rows = [row for step in run.steps for row in _of_step(step)]
    rows += [_excluded(run, text) for text in run.excluded]
    whole = _of_run(run, _together(rows))
    return [*rows, whole] if whole else rows


def _worse(verdict: Verdict, other: Verdict) -> bool:
    return _ORDER.index(verdict) < _ORDER.index(other)


def _together(rows: list[Judged]) -> Verdict:
    """What a reader of the rows would say; of none that nothing is wrong."""
    return combine(row.verdict for row in rows) if rows else Verdict.PASS


def _of_step(step: StepResult) -> Iterator[Judged]:
    latest = step.latest
    rows = list(_of_attempt(step, latest)) if latest else list(_unreached(step))
    verdict = step_verdict(step)
    if latest and _worse(verdict, _together(rows)):
        why = latest.error or "the step did not come to its end, or judged nothing"
        rows.append(Judged(f"{step.number}-completed", verdict, why, _place(step, latest)))
    for row in rows:
        yield row if step.selected else _prerequisite(row)


def _of_attempt(step: StepResult, attempt: Attempt) -> Iterator[Judged]:
    for part in attempt.parts:
        place = _place(step, attempt, part)
        took = max(part.end - part.start, 0.0)
        for result in part.criteria:
            yield Judged(result.id, result.verdict, _message(result), place, took, result)
            took = 0.0
        if part.error and not any(_worse(r.verdict, Verdict.PASS) for r in part.criteria):
            verdict = part.verdict if _worse(part.verdict, Verdict.PASS) else Verdict.ERROR
            why = f"the part did not come to its end: {part.error}"
            yield Judged(f"{part.id}-completed", verdict, why, place, took)
    yield from _unreached(step)
    for result in attempt.criteria:
        # The time of a step is that of its parts.
        place = _place(step, attempt)
        yield Judged(result.id, result.verdict, _message(result), place, 0.0, result)


def _unreached(step: StepResult) -> Iterator[Judged]:
    """What the run ended before."""
    titles = (f"Step {step.number} {step.title}".rstrip(),)
    for result in step.unreached:
        part = result.owner if "." in result.owner else ""
        place = Place(step.number, part, titles)
        yield Judged(result.id, result.verdict, _message(result), place, 0.0, result)


def _place(step: StepResult, attempt: Attempt, part: PartResult | None = None) -> Place:
    titles = [f"Step {step.number} {step.title}".rstrip()]
    of: Attempt | PartResult = attempt
    if part is not None:
        titles.append(f"{part.id} {part.title}".rstrip())
        of = part
    return Place(
        step.number,
        part.id if part else "",
        tuple(titles),
        attempt.number,
        attempt.session,
        of.start,
        max(of.end, of.start),
    )


def _message(result: CriterionResult) -> str:
    if result.measured is None or result.verdict is Verdict.SKIPPED:
        return result.reason or "not measured"
    return f"{_compared(result)} ({result.reason})" if result.reason else _compared(result)


def _prerequisite(row: Judged) -> Judged:
    """What was measured only because a selected step needs it does not count."""
    why = f"a prerequisite, not part of this run; it was {row.verdict}: {row.message}"
    return replace(row, verdict=Verdict.SKIPPED, message=why)


def _excluded(run: RunResult, text: str) -> Judged:
    """A criterion that the target cannot have, from "5.1-database-time-p95: why"."""
    name, _, reason = text.partition(": ")
    owner = _OWNER.match(name)
    number = int(owner[1]) if owner else 0
    step = next((held for held in run.steps if held.number == number), None)
    place = Place()
    if owner is not None and step is not None:
        part = owner[0] if "." in owner[0] else ""
        place = Place(step.number, part, (f"Step {step.number} {step.title}".rstrip(),))
    return Judged(name, Verdict.SKIPPED, reason or "does not apply to this target", place)


def _of_run(run: RunResult, found: Verdict) -> Judged | None:
    """What the criteria do not say of the run; None if they say it all."""
    name, why = "run-completed", run.reason or UNENDED
    if run.status != "finished":
        return Judged(name, Verdict.ERROR, why)
    return Judged(name, run.verdict, why) if _worse(run.verdict, found) else None
