"""How the supervisor and the server process are told what to do. Standard library only."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ADDRESS", "EXIT_PORT_TAKEN", "Options", "announce", "watch_lifeline"]

ADDRESS = "127.0.0.1"
EXIT_PORT_TAKEN = 2


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of ``serve``. Paths are absolute; port 0 stands for a free one."""

    port: int
    database: Path
    log: Path | None
    faults: tuple[str, ...]
    foreground: bool

    def server_command(self, port: int) -> list[str]:
        """The command that starts the server process on ``port``."""
        # -P: a module in the working directory must not stand in for one of ours.
        command = [sys.executable, "-P", "-m", "qa_runner.demo", "server", f"--port={port}"]
        command.append(f"--database={self.database}")
        if self.log is not None:
            command.append(f"--log={self.log}")
        command += [f"--fault={name}" for name in self.faults]
        if self.foreground:
            command.append("--foreground")
        return command


def announce(**facts: object) -> None:
    """Write one JSON line to stdout."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def watch_lifeline(on_end: Callable[[], object]) -> None:
    """Call ``on_end``, from a thread, when the process at the other end of stdin is gone."""

    def read() -> None:
        # Not sys.stdin: its lock would be held for ever by this thread.
        while os.read(0, 1024):
            pass
        on_end()

    threading.Thread(target=read, name="lifeline", daemon=True).start()
