"""Criteria that failed without a cause that any rule knows: the finding is their own note."""

from __future__ import annotations

from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.verdict import Verdict

__all__ = ["unexplained"]

_LITTLE = 0.01


def unexplained(evidence: Evidence) -> list[Finding]:
    """One finding for each part or step, of requests apart from memory and CPU."""
    owners: dict[tuple[str, bool], list[tuple[str, str]]] = {}
    for result in evidence.results(Verdict.FAIL, Verdict.ERROR):
        of_server = result.metric.startswith(("server_", "busiest_"))
        owner = result.id.partition("-")[0]
        note = result.note if result.verdict is Verdict.FAIL else ""
        owners.setdefault((owner, of_server), []).append((result.id, note))
    return [
        Finding(
            rule="unexplained",
            cause=held[0][1].rstrip("."),
            explains=dict.fromkeys((name for name, _ in held), _LITTLE),
        )
        for held in owners.values()
    ]
