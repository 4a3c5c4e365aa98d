"""How the supervisor and the server process are told what to do. Standard library only."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "ADDRESS",
    "EXIT_PORT_TAKEN",
    "Options",
    "announce",
    "watch_lifeline",
    "watch_parent",
]

ADDRESS = "127.0.0.1"
EXIT_PORT_TAKEN = 2
_PARENT_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of ``serve``. Paths may be relative to the
    working folder, which the server process shares; port 0 stands for a free one. Without a
    ``database`` file the environment names a PostgreSQL server.
    """

    port: int
    database: Path | None
    log: Path | None
    faults: tuple[str, ...]
    foreground: bool

    def server_command(self, port: int) -> list[str]:
        """The command that starts the server process on ``port``."""
        # -P: a module in the working directory must not stand in for one of ours.
        command = [sys.executable, "-P", "-m", "qa_runner.demo", "server", f"--port={port}"]
        if self.database is not None:
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


def watch_parent(on_end: Callable[[], object]) -> None:
    """Call ``on_end``, from a thread, when the process that started this one is gone.

    For where stdin is the user's terminal and says nothing about the parent.
    """
    parent = os.getppid()

    def poll() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_SECONDS)
        on_end()

    threading.Thread(target=poll, name="parent", daemon=True).start()
