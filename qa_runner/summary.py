"""In a sentence or two, why a run's verdict is what it is."""

from __future__ import annotations

from collections import Counter

from qa_runner.criteria import CriterionResult
from qa_runner.result import RunResult
from qa_runner.verdict import Verdict

__all__ = ["ending", "reason_for"]

_NAMED = 3
_DID = {
    Verdict.FAIL: "failed",
    Verdict.ERROR: "could not be judged",
    Verdict.INCONCLUSIVE: "could not be measured",
}


def reason_for(run: RunResult) -> str:
    """The sentence for the banner and the terminal, from the criteria that count."""
    judged = [c for step in run.steps if step.selected for c in step.criteria()]
    judged = [criterion for criterion in judged if criterion.verdict is not Verdict.SKIPPED]
    total = len(judged)
    if words := ending(run):
        return f"{words}.{_so_far(judged)}"
    if not total:
        return "No criterion was judged."
    if run.verdict is Verdict.PASS:
        passed = f"All {total} criteria" if total > 1 else "The only criterion"
        return f"{passed} passed{_left_out(run)}."
    named = [criterion.id for criterion in judged if criterion.verdict is run.verdict]
    did = _DID.get(run.verdict, "skipped")
    if named:
        return f"{len(named)} of {total} criteria {did}: {_listed(named)}."
    steps = [str(s.number) for s in run.steps if s.selected and s.verdict is run.verdict]
    return f"Step {_listed(steps)} {did}." if steps else f"The run {did}."


def ending(run: RunResult) -> str:
    """How a run that did not come to its end did end, without a full stop; else empty."""
    if run.status not in ("interrupted", "crashed", "stopped") or not run.stop_reason:
        return ""
    words = {"interrupted": "Interrupted ", "stopped": "Stopped: "}
    return f"{words.get(run.status, 'Ended early: ')}{run.stop_reason.rstrip('.?')}"


def _so_far(judged: list[CriterionResult]) -> str:
    """How many passed of all that the run was to judge, as a sentence behind another."""
    if not judged:
        return ""
    counted = Counter(criterion.verdict for criterion in judged)
    others = [f"{counted[verdict]} {did}" for verdict, did in _DID.items() if counted[verdict]]
    passed = f"{counted[Verdict.PASS]} of {len(judged)} criteria passed"
    return f" {', '.join([passed, *others])}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _left_out(run: RunResult) -> str:
    """Criteria whose data source this target does not have; they are no part of the total."""
    count = len(run.excluded)
    if not count:
        return ""
    return f"; {count} more {'does' if count == 1 else 'do'} not apply to this target"
