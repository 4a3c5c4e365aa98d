"""From what was observed to the verdicts of a part and of a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from qa_runner.criteria import Criterion, CriterionResult, Measurement, judge
from qa_runner.observation import Observation
from qa_runner.verdict import Verdict, combine

__all__ = ["applicable", "judge_all", "skipped", "spoil", "verdict_of"]


def applicable(
    criteria: Iterable[Criterion], sources: frozenset[str]
) -> tuple[list[Criterion], list[str]]:
    """The criteria whose data source exists, and a line for each that is not part of the run."""
    kept: list[Criterion] = []
    excluded: list[str] = []
    for criterion in criteria:
        if criterion.requires and criterion.requires not in sources:
            absent = f"the target has no {criterion.requires}"
            excluded.append(f"{criterion.id}: {_ABSENT.get(criterion.requires, absent)}")
        else:
            kept.append(criterion)
    return kept, excluded


_ABSENT = {
    "application_time": "the target sends no application time in a Server-Timing header",
    "database_time": "the target sends no database time in a Server-Timing header",
    "query_count": "the target sends no number of queries in a Server-Timing header",
    "server_log": "the server's log is not known",
}


def judge_all(
    criteria: Sequence[Criterion], observation: Observation, evidence: str
) -> list[CriterionResult]:
    """Measure and judge each; ``evidence`` is the anchor in the report."""
    return [judge(c, observation.measure(c), evidence) for c in criteria]


def spoil(results: Iterable[CriterionResult], verdict: Verdict, why: str) -> list[CriterionResult]:
    """What remains of verdicts when the part did not run to its end.

    What failed has failed; anything else is ``verdict``, because the rest is missing.
    """
    return [
        result
        if result.verdict is Verdict.FAIL
        else msgspec.structs.replace(result, verdict=verdict, reason=why)
        for result in results
    ]


def skipped(criteria: Sequence[Criterion], evidence: str, why: str) -> list[CriterionResult]:
    """Criteria that are not part of this run."""
    unmeasured = Measurement(reason=why)
    return [
        msgspec.structs.replace(judge(c, unmeasured, evidence), verdict=Verdict.SKIPPED)
        for c in criteria
    ]


def verdict_of(results: Iterable[CriterionResult], error: str) -> Verdict:
    """The verdict over criteria, with an error counted as one more ERROR."""
    verdicts = [result.verdict for result in results]
    if error:
        verdicts.append(Verdict.ERROR)
    return combine(verdicts)
