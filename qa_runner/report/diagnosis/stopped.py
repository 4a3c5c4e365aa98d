"""A run that was stopped for the target's sake: error budget, rate limit or a cap."""

from __future__ import annotations

from qa_runner.report.attempts import last_begun
from qa_runner.report.diagnosis.evidence import BUDGET, RATE_LIMIT, Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.verdict import Verdict

__all__ = ["stopped"]

_LITTLE = 0.06
"""Why the requests failed explains more, and the reason alone less."""
_ERRORS = (
    "Remove the cause of the errors, which the next findings name, and run again; the budget "
    "stands in the target's environment in qa-runner.toml."
)
_LIMITED = (
    "Lift the limit for the address of qa-runner while testing, or wait until that time is over: "
    "every further request would only be refused."
)
_CAP = (
    "Ask for less load, or raise the limit in the target's environment in qa-runner.toml if the "
    "target may take it."
)


def stopped(evidence: Evidence) -> list[Finding]:
    """Why the load was stopped; what comes next is the cause."""
    run = evidence.run
    if run.status != "stopped":
        return []
    why = run.stop_reason.rstrip(".") or "no reason was stored"
    last = last_begun(run.steps)
    where = f" in step {last.number}" if last and not evidence.ad_hoc else ""
    return [
        Finding(
            rule="stopped",
            cause=f"the load was stopped{where} to spare the target: {why}",
            remedy=_remedy(why),
            explains={
                result.id: _LITTLE
                for result in evidence.results(Verdict.ERROR, Verdict.INCONCLUSIVE)
                if any(words in result.reason for words in evidence.stop_words)
            },
            evidence=f"step-{last.number}" if last else "",
            standalone=True,
        )
    ]


def _remedy(why: str) -> str:
    if why.startswith(RATE_LIMIT):
        return _LIMITED
    return _ERRORS if BUDGET in why else _CAP
