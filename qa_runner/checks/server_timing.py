"""Does the server tell of the time inside it?"""

from __future__ import annotations

from qa_runner.checks.check import Check, Finding, note, ok
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.coverage import requiring
from qa_runner.sample_metrics import INSIDE, told_of_inside

__all__ = ["SERVER_TIMING"]

_REMEDY = (
    "a Django project tells with the middleware of qa_runner.contrib.django and "
    "QA_RUNNER_SERVER_TIMING = True"
)


def _run(checked: CheckedTarget) -> Finding | None:
    answer = checked.answer
    if answer is None or not answer.succeeded:
        return None
    told = told_of_inside(answer.samples)
    missing = [name for name in INSIDE if name not in told]
    criteria = [each for name in missing for each in requiring(checked.case, name)]
    if not criteria:
        return ok(f"told: {', '.join(sorted(told)) or 'nothing, and no criterion asks'}")
    return note(
        f"no Server-Timing header with {' and '.join(missing)}: {', '.join(criteria)} "
        f"{'is' if len(criteria) == 1 else 'are'} no part of the run",
        _REMEDY,
    )


SERVER_TIMING = Check("server-timing", "Server-Timing", _run, sends=True)
