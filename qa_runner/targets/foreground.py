"""The embedded target in the foreground, for people who want to poke at it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from qa_runner.errors import PortTaken, TargetError
from qa_runner.targets.database_url import DatabaseUrl
from qa_runner.targets.embedded import PORT_TAKEN_CODE, serve_command, serve_environment
from qa_runner.targets.faults import validate_faults

__all__ = ["serve_in_foreground"]

_STOP_SECONDS = 30.0  # dropping a database takes a while on a busy server


def serve_in_foreground(
    port: int,
    faults: Sequence[str],
    tell: Callable[[str], None],
    database: DatabaseUrl | None = None,
) -> None:
    """Serve on ``port`` (0: a free one) from a database of its own, until Ctrl-C.

    That is a file in a temporary folder, or on the PostgreSQL server ``database``.
    Raises UnknownName for an unknown fault, PortTaken, TargetError if it ends by itself, and
    KeyboardInterrupt at Ctrl-C, once the server has ended.
    """
    chosen = validate_faults(faults)
    with tempfile.TemporaryDirectory(prefix="qa-runner-demo-") as folder:
        path = Path(folder) / "database.sqlite3" if database is None else None
        command = serve_command(port, path, None, chosen, foreground=True)
        with subprocess.Popen(  # noqa: S603 (our own command)
            command, env=serve_environment(database), stdout=subprocess.PIPE
        ) as process:
            try:
                assert process.stdout is not None  # noqa: S101 (asked for above)
                line = process.stdout.readline()
                answer = json.loads(line) if line else {}
                if answer.get("ready"):
                    tell(f"http://127.0.0.1:{answer['port']}")
                process.wait()
            finally:
                # Ctrl-C reaches the whole foreground group: it is ending already.
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
    if "error" in answer:
        if process.returncode != PORT_TAKEN_CODE:
            raise TargetError(f"the embedded target did not start: {answer['error']}")
        raise PortTaken(f"{answer['error']}; choose another --port, or 0 for a free one")
    raise TargetError(f"the embedded target ended with exit code {process.returncode}")
