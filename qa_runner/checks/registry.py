"""All checks in their order: what must hold before a request is sent comes before the request."""

from __future__ import annotations

from collections.abc import Callable

from qa_runner.check_result import CheckResult, Level
from qa_runner.checks.check import Check, Finding
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.clocks import CLOCKS
from qa_runner.checks.database import DATABASE_PROBE, DATASET
from qa_runner.checks.development import DEVELOPMENT
from qa_runner.checks.generator import GENERATOR
from qa_runner.checks.observers import OBSERVERS
from qa_runner.checks.path import PATH
from qa_runner.checks.payment_keys import PAYMENT_KEYS
from qa_runner.checks.rate_limit import RATE_LIMIT
from qa_runner.checks.reachable import REACHABLE
from qa_runner.checks.request import REQUEST, SHAPE
from qa_runner.checks.same_database import SAME_DATABASE
from qa_runner.checks.server_log import SERVER_LOG
from qa_runner.checks.server_process import SERVER_PROCESS
from qa_runner.checks.server_timing import SERVER_TIMING
from qa_runner.redaction import redact

__all__ = ["CHECKS", "perform"]

CHECKS = (
    REACHABLE,
    GENERATOR,
    SERVER_PROCESS,
    SERVER_LOG,
    DATABASE_PROBE,
    DATASET,
    PAYMENT_KEYS,
    REQUEST,
    PATH,
    SHAPE,
    RATE_LIMIT,
    SAME_DATABASE,
    SERVER_TIMING,
    CLOCKS,
    DEVELOPMENT,
    OBSERVERS,
)


def perform(
    checked: CheckedTarget,
    *,
    sends: bool = True,
    tell: Callable[[CheckResult], None] = lambda _result: None,
) -> list[CheckResult]:
    """Run the checks in order; ``tell`` hears of each at once.

    Without ``sends`` no request is sent, and what looks at its answer is left out. Raises
    GeneratorError, StopRequested.
    """
    results: list[CheckResult] = []
    for check in CHECKS:
        if check.sends and not sends:
            continue
        checked.session.stop.check()
        finding = check.run(checked)
        if finding is None:
            continue
        checked.failed = checked.failed or finding.level is Level.FAILURE
        results.append(_result(check, finding, checked.session.number))
        tell(results[-1])
    return results


def _result(check: Check, finding: Finding, session: int) -> CheckResult:
    return CheckResult(
        id=check.id,
        title=check.title,
        level=finding.level,
        text=redact(finding.text),
        remedy=redact(finding.remedy),
        criteria=list(finding.criteria),
        session=session,
    )
