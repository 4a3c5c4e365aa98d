"""Are the server's processes found, and may they be looked at?"""

from __future__ import annotations

import re
from pathlib import PurePath

from qa_runner.checks.check import Check, Finding, ok, unmeasured
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.coverage import needing

__all__ = ["SERVER_PROCESS"]

_WORD = re.compile(r"[^\s=:]+")


def _run(checked: CheckedTarget) -> Finding:
    processes = checked.processes()
    if not processes:
        return unmeasured(
            checked.server.reason or "no process of the server is found",
            "say which process it is under process of the target in qa-runner.toml",
            needing(checked.case, "server"),
        )
    # It stands in the report: without folders of this machine.
    command = _WORD.sub(lambda word: PurePath(word[0]).name or word[0], processes[0].command)
    listed = f"pid {processes[0].pid}: {command}"
    if len(processes) > 1:
        listed += f", and {len(processes) - 1} below it"
    refused = [
        name
        for name, hidden in (
            ("memory", any(each.rss_bytes is None for each in processes)),
            ("open files", any(each.open_files is None for each in processes)),
        )
        if hidden
    ]
    if refused:
        return unmeasured(
            f"{listed}; its {' and '.join(refused)} may not be read",
            "run qa-runner as the server's user, or with sudo",
            needing(checked.case, "server") if "memory" in refused else (),
        )
    return ok(listed)


SERVER_PROCESS = Check("server-process", "Server process", _run)
