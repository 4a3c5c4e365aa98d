"""The load generator, not the server, was the bottleneck."""

from __future__ import annotations

from collections import Counter

from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.verdict import Verdict

__all__ = ["saturated_generator"]

_SIGN = "load generator saturated: "


def saturated_generator(evidence: Evidence) -> list[Finding]:
    """The criteria that were not judged because the generator was too slow, and by what sign."""
    concerned = [
        result for result in evidence.results(Verdict.ERROR) if "saturated" in result.reason
    ]
    if not concerned:
        return []
    notes = [note for result in concerned for note in result.note.split("; ")]
    signs = Counter(note.removeprefix(_SIGN) for note in notes if note.startswith(_SIGN))
    why = f": {signs.most_common(1)[0][0]}" if signs else ""
    return [
        Finding(
            rule="saturated-generator",
            cause=f"the load generator, not the server, was the bottleneck{why}",
            remedy=(
                "Ask for less load, end what else runs on this machine, or run qa-runner on "
                "another one than the server; qa-runner calibrate shows what this one can send."
            ),
            explains={result.id: 1.0 for result in concerned},
        )
    ]
