"""Do the clocks agree: this machine's two, and the server's?"""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

from qa_runner.checks.check import Check, Finding, note, ok, warning
from qa_runner.checks.checked_target import CheckedTarget

__all__ = ["CLOCKS"]

_MOST_SECONDS = 2.0  # the Date header has whole seconds
_MOST_JUMP_SECONDS = 1.0  # a busy machine may take its time between two looks


def _run(checked: CheckedTarget) -> Finding:
    clock = checked.session.clock
    # Since the session began: both clocks should have gone on by the same.
    jump = time.time() - clock.wall_start.timestamp() - clock.now()
    if abs(jump) > _MOST_JUMP_SECONDS:
        return warning(
            f"this machine's wall clock was set by {jump:+.1f} s while it was looked at",
            "wait until its time is synchronised: log lines would be put at the wrong time",
        )
    skew = _skew(checked)
    if skew is None:
        return ok("this machine's clocks agree; the server sends no Date")
    if abs(skew) > _MOST_SECONDS:
        return note(
            f"the server's clock is {skew:+.0f} s off this machine's",
            "log lines of the server are shown by its clock: synchronise the two",
        )
    return ok("this machine's clocks agree, and the server's with them")


def _skew(checked: CheckedTarget) -> float | None:
    """By how many seconds the server's clock is ahead; None if it does not say."""
    answer = checked.answer
    header = answer.headers.get("date", "") if answer else ""
    try:
        told = parsedate_to_datetime(header)
    except ValueError:
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    assert answer is not None  # noqa: S101 (its header was read)
    return told.timestamp() - answer.received


CLOCKS = Check("clocks", "Clocks", _run)
