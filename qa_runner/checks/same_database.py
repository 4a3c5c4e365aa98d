"""Is the database that the probe reads the one that the server writes to?"""

from __future__ import annotations

import time

from qa_runner.checks.check import Check, Finding, failure, ok, warning
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.database import described
from qa_runner.errors import ProbeError

__all__ = ["SAME_DATABASE"]

_SECONDS = 2.0
_EVERY_SECONDS = 0.1


def _run(checked: CheckedTarget) -> Finding | None:
    database, answer = checked.session.database, checked.answer
    if database is None or answer is None or not answer.succeeded:
        return None
    try:
        end = time.monotonic() + _SECONDS
        while not (seen := database.users(checked.tag)) and time.monotonic() < end:
            checked.session.stop.sleep(_EVERY_SECONDS)
        name = described(database.info())
    except ProbeError as error:
        return warning(f"it cannot be looked at: {error}")
    if seen:
        return ok(f"the row that the request wrote is in {name}")
    return failure(
        f"the request succeeded, but what it wrote is not in {name}: the server writes to "
        "another database, or stores users without the e-mail address",
        "give the project the settings and the environment that the server runs with "
        f"([targets.{checked.configured_name}.project] in qa-runner.toml)",
    )


SAME_DATABASE = Check("same-database", "Same database", _run, sends=True)
