"""Before any load: is this the API under test, and what will the run be able to measure?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qa_runner.check_result import CheckResult, Level
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.rate_limit import RATE_LIMIT
from qa_runner.checks.registry import perform
from qa_runner.errors import TargetError
from qa_runner.sample_metrics import told_of_inside
from qa_runner.session import Session
from qa_runner.table import Table
from qa_runner.targets.target import Target

__all__ = ["Preflight", "one_line", "preflight"]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the checks found. ``inside`` is what the answer told of the time inside the server, as
    :func:`qa_runner.sample_metrics.told_of_inside` names it.
    """

    results: tuple[CheckResult, ...]
    inside: frozenset[str] = frozenset()

    @property
    def warnings(self) -> list[str]:
        """A line for each warning."""
        return [one_line(result) for result in self.results if result.level is Level.WARNING]

    @property
    def limited(self) -> str:
        """A line for a rate limit that answers already; empty if none does."""
        found = (r for r in self.results if r.id == RATE_LIMIT.id and r.level is Level.FAILURE)
        return next(map(one_line, found), "")

    @property
    def failures(self) -> list[str]:
        """A line for each failure."""
        return [one_line(result) for result in self.results if result.level is Level.FAILURE]

    def refuse(self) -> None:
        """Raise TargetError, with what is wrong and what to do, if a run would be spoilt."""
        first, *others = self.failures or [""]
        if first:
            more = f" (and {len(others)} more: see qa-runner check)" if others else ""
            raise TargetError(first + more)


def preflight(
    session: Session,
    target: Target,
    save: Callable[[Table], None],
    *,
    sends: bool = True,
    load_follows: bool = False,
    tell: Callable[[CheckResult], None] = lambda _result: None,
) -> Preflight:
    """Make all checks; ``session`` watches the target already.

    The case's own request is sent once, unless ``sends`` is False; where ``load_follows``, as often
    as it takes to see whether a low rate limit that is known holds for us. Raises GeneratorError,
    StopRequested.
    """
    checked = CheckedTarget(target, session, save, load_follows=load_follows)
    results = perform(checked, sends=sends, tell=tell)
    answer = checked.answer
    inside = told_of_inside(answer.samples) if answer is not None else set()
    return Preflight(tuple(results), frozenset(inside))


def one_line(result: CheckResult) -> str:
    """What a check found and what to do, for a console or an error."""
    text = result.text + (f"; {result.remedy}" if result.remedy else "")
    if not result.criteria:
        return text
    return f"{text}; INCONCLUSIVE: {', '.join(result.criteria)}"
