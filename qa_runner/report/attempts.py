"""What to say of a step's attempts, also of one that the process did not live to end."""

from __future__ import annotations

import math
from collections.abc import Iterable

from qa_runner.result import Attempt, StepResult
from qa_runner.verdict import Verdict, combine

__all__ = ["attempts_line", "last_begun", "shown_verdict", "step_verdict", "unfinished"]


def unfinished(attempt: Attempt) -> bool:
    """Whether the process ended during the attempt: its end was not written any more."""
    ended = max((part.end for part in attempt.parts), default=math.inf)
    return not attempt.error and attempt.end < ended


def shown_verdict(attempt: Attempt) -> Verdict:
    """The verdict; what is missing makes one that did not finish INCONCLUSIVE at best."""
    if unfinished(attempt):
        return combine([attempt.verdict, Verdict.INCONCLUSIVE])
    return attempt.verdict


def step_verdict(step: StepResult) -> Verdict:
    """That of the step, or of its latest attempt where it did not live to become the step's."""
    if step.latest is not None and unfinished(step.latest):
        return shown_verdict(step.latest)
    return step.verdict


def last_begun(steps: Iterable[StepResult]) -> StepResult | None:
    """Of steps that were run the one whose latest attempt began last; None if none was."""
    began = [(step.latest.session, step.latest.start, step) for step in steps if step.latest]
    return max(began, key=lambda item: item[:2])[2] if began else None


def attempts_line(step: StepResult) -> str:
    """Which attempt is shown, and how the earlier ones ended; empty if that goes without saying."""
    latest, count = step.latest, len(step.attempts)
    if latest is None:
        return ""
    earlier = ", ".join(
        f"attempt {attempt.number}: {_ending(attempt)}" for attempt in step.attempts[:-1]
    )
    name = f"Attempt {count} of {count}" if earlier else f"Attempt {latest.number}"
    if unfinished(latest):
        name += " did not finish"
    elif not earlier:
        return ""
    return f"{name} ({earlier})" if earlier else name


def _ending(attempt: Attempt) -> str:
    return "did not finish" if unfinished(attempt) else attempt.verdict.value
