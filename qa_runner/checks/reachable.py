"""Does anybody accept connections there?"""

from __future__ import annotations

import socket
import time

from qa_runner.checks.check import Check, Finding, failure, ok
from qa_runner.checks.checked_target import CheckedTarget

__all__ = ["REACHABLE"]

_SECONDS = 5.0


def _run(checked: CheckedTarget) -> Finding:
    target = checked.target
    start = time.monotonic()
    try:
        with socket.create_connection((target.host, target.port), timeout=_SECONDS):
            took = time.monotonic() - start
    except OSError as error:
        return failure(
            f"{target.url} does not accept connections ({error.strerror or error})",
            "start the server, or correct the URL of the target",
        )
    return ok(f"{target.url} accepts connections, within {1000 * took:.1f} ms")


REACHABLE = Check("reachable", "Reachable", _run)
