"""What is missing of the run itself: what was interrupted or crashed, samples that are gone."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.criteria import CriterionResult
from qa_runner.report.attempts import last_begun, unfinished
from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.result import Attempt, StepResult
from qa_runner.verdict import Verdict

__all__ = ["crashed", "interrupted", "lost_samples"]


_EARLY = {"interrupted": "was interrupted", "running": "was killed, or goes on"}


def _finding(
    rule: str,
    cause: str,
    evidence: str,
    explains: Iterable[CriterionResult] = (),
    *,
    likely: bool = True,
) -> Finding:
    return Finding(
        rule=rule,
        cause=cause.rstrip("."),
        explains={result.id: 1.0 for result in explains},
        evidence=evidence,
        standalone=True,
        likely=likely,
    )


def interrupted(evidence: Evidence) -> list[Finding]:
    """That the run did not come to its end: why the rest is open, and nothing of the target."""
    run = evidence.run
    if run.status not in _EARLY:
        return []
    stopped = evidence.stop_words
    # An earlier session may have left another step open.
    cut = last_begun(
        step
        for step in run.steps
        if step.latest
        and (unfinished(step.latest) if run.status == "running" else step.latest.error in stopped)
    )
    where = f" in step {cut.number}" if cut and not evidence.ad_hoc else ""
    cause = f"the run {_EARLY[run.status]}{where}; what it had not measured is inconclusive"
    left_open = [
        result
        for result in evidence.results(Verdict.INCONCLUSIVE)
        if any(words in result.reason for words in stopped)
    ]
    if not (cut or left_open):
        return []
    at = f"step-{cut.number}" if cut else ""
    return [_finding("interrupted", cause, at, left_open, likely=False)]


def lost_samples(evidence: Evidence) -> list[Finding]:
    """Steps of which the run folder no longer holds every request that the run counted."""
    found = []
    for step in evidence.run.steps:
        if step.latest is None:
            continue
        loads = [load for part in step.latest.parts for load in part.loads]
        counted = sum(sum(load.outcomes.values()) for load in loads)
        held = len(evidence.source.samples(step.latest))
        if held < counted:
            cause = (
                f"the run folder holds {held:,} of the {counted:,} requests of step {step.number}: "
                "its figures are incomplete, its verdicts are those of the run"
            )
            found.append(_finding("lost-samples", cause, f"step-{step.number}", likely=False))
    return found


def crashed(evidence: Evidence) -> list[Finding]:
    """Steps and parts that could not run to their end."""
    found = []
    for step in evidence.run.steps:
        if step.latest is not None:
            found += _of(step, step.latest, evidence.stop_words)
    return found


def _of(step: StepResult, attempt: Attempt, stopped: tuple[str, ...]) -> list[Finding]:
    found = []
    number = step.number
    if unfinished(attempt):
        cause = f"attempt {attempt.number} of step {number} did not finish"
        found.append(_finding("unfinished", cause, f"step-{number}", likely=False))
    # That the run was stopped is told once, by another rule or at the head of the page.
    if attempt.error and attempt.error not in stopped:
        cause = f"step {number} could not run: {attempt.error}"
        concerned = _because(attempt.error, step.criteria())
        found.append(_finding("crashed", cause, f"step-{number}", concerned))
    for part in attempt.parts:
        if part.error and part.error not in (attempt.error, *stopped):
            cause = f"part {part.id} could not run: {part.error}"
            concerned = _because(part.error, step.criteria())
            found.append(_finding("crashed", cause, f"part-{part.id}", concerned))
    return found


def _because(error: str, results: list[CriterionResult]) -> list[CriterionResult]:
    """Those that were not judged because of an error, which their reason quotes."""
    return [
        result
        for result in results
        if error in result.reason and result.verdict in (Verdict.ERROR, Verdict.INCONCLUSIVE)
    ]
