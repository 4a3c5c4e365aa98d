"""Can the server's log be read?"""

from __future__ import annotations

import stat

from qa_runner.checks.check import Check, Finding, note, ok, unmeasured
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.coverage import needing

__all__ = ["SERVER_LOG"]


def _run(checked: CheckedTarget) -> Finding:
    path = checked.target.log_path
    criteria = needing(checked.case, "log")
    if path is None:
        return unmeasured(
            "where the server logs to is not known: lock errors and the like are found in "
            "responses only",
            "name the file as log of the target in qa-runner.toml",
            criteria,
        )
    try:
        found = path.stat()
        # Opening a pipe would wait for whoever writes into it.
        if not stat.S_ISREG(found.st_mode):
            return unmeasured(
                f"{path.name} is no regular file, so that it cannot be followed",
                "name the file that the server writes lines to as log of the target",
                criteria,
            )
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        return note(
            f"{path.name} is not there yet",
            "if the server logs elsewhere, correct log of the target in qa-runner.toml",
        )
    except OSError as error:
        return unmeasured(
            f"{path.name} cannot be read: {error.strerror or error}",
            "give its reader's permission to this user, or correct log of the target",
            criteria,
        )
    return ok(f"{path.name}, {found.st_size / 1e6:.1f} MB; only what comes from now on is read")


SERVER_LOG = Check("server-log", "Server log", _run)
