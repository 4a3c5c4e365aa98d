"""Criteria of the steps and parts that a run has not come to: not measured, and still counted."""

from __future__ import annotations

from collections.abc import Iterator

from qa_runner.configure import ConfiguredCase, ConfiguredStep
from qa_runner.criteria import Criterion, Measurement, judge
from qa_runner.judging import applicable, skipped
from qa_runner.result import RunResult, StepResult
from qa_runner.stop import NOT_ENDED
from qa_runner.summary import ending
from qa_runner.verdict import combine

__all__ = ["keep_unreached"]


def keep_unreached(
    case: ConfiguredCase, run: RunResult, sources: frozenset[str] | None, session: int
) -> None:
    """Store what was selected of ``case`` and not reached by ``run``, which ended or goes on.

    ``sources`` are the data sources of the target, None if it ended before they were known: then
    nothing can be said not to apply. ``session`` is that of this process.
    """
    words = ending(run) or NOT_ENDED
    why = f"not reached: {words[:1].lower()}{words[1:]}"
    excluded: list[str] = []
    for step in case.steps:
        result = next(held for held in run.steps if held.number == step.definition.number)
        # An attempt of an earlier session is as it was.
        if step.selected and (result.latest is None or result.latest.session == session):
            excluded += _keep(step, result, sources, why)
    run.excluded = list(dict.fromkeys([*run.excluded, *excluded]))


def _keep(
    step: ConfiguredStep, result: StepResult, sources: frozenset[str] | None, why: str
) -> list[str]:
    """Lines on criteria that are not part of the run."""
    result.unreached = []
    judged = {criterion.id for criterion in result.criteria()}
    excluded: list[str] = []
    for evidence, left_out, criteria in _groups(step):
        kept, lines = (criteria, []) if sources is None else applicable(criteria, sources)
        excluded += lines
        missing = [criterion for criterion in kept if criterion.id not in judged]
        result.unreached += (
            skipped(missing, evidence, left_out)
            if left_out
            else [judge(criterion, Measurement(reason=why), evidence) for criterion in missing]
        )
    _lower_verdicts(result)
    return excluded


def _groups(step: ConfiguredStep) -> Iterator[tuple[str, str, list[Criterion]]]:
    """The criteria of the selected parts, then the step's own: anchor, why not, criteria."""
    for part in step.parts:
        if part.selected:
            yield f"part-{part.definition.id}", "", list(part.criteria)
    yield f"step-{step.definition.number}", step.left_out, list(step.criteria)


def _lower_verdicts(result: StepResult) -> None:
    """Parts that passed make no step that passed, however abruptly it ended."""
    if not result.unreached:
        return
    verdicts = [criterion.verdict for criterion in result.unreached]
    result.verdict = combine([result.verdict, *verdicts])
    if result.latest is not None:
        result.latest.verdict = combine([result.latest.verdict, *verdicts])
