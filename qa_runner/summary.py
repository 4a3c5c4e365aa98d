"""One sentence on why a run's verdict is what it is."""

from __future__ import annotations

from qa_runner.result import RunResult
from qa_runner.verdict import Verdict

__all__ = ["reason_for"]

_NAMED = 3


def reason_for(run: RunResult) -> str:
    """The sentence for the banner and the terminal, from the criteria that count."""
    judged = [c for step in run.steps if step.selected for c in step.criteria()]
    judged = [criterion for criterion in judged if criterion.verdict is not Verdict.SKIPPED]
    total = len(judged)
    if run.status in ("interrupted", "crashed", "stopped") and run.stop_reason:
        words = {"interrupted": "Interrupted ", "stopped": "Stopped: "}
        return f"{words.get(run.status, 'Ended early: ')}{run.stop_reason.rstrip('.?')}."
    if not total:
        return "No criterion was judged."
    if run.verdict is Verdict.PASS:
        passed = f"All {total} criteria" if total > 1 else "The only criterion"
        return f"{passed} passed{_left_out(run)}."
    named = [criterion.id for criterion in judged if criterion.verdict is run.verdict]
    did = {
        Verdict.FAIL: "failed",
        Verdict.ERROR: "could not be judged",
        Verdict.INCONCLUSIVE: "could not be measured",
    }.get(run.verdict, "skipped")
    if named:
        return f"{len(named)} of {total} criteria {did}: {_listed(named)}."
    steps = [str(s.number) for s in run.steps if s.selected and s.verdict is run.verdict]
    return f"Step {_listed(steps)} {did}." if steps else f"The run {did}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _left_out(run: RunResult) -> str:
    """Criteria whose data source this target does not have; they are no part of the total."""
    count = len(run.excluded)
    if not count:
        return ""
    return f"; {count} more {'does' if count == 1 else 'do'} not apply to this target"
