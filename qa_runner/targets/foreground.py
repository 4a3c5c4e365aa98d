"""The embedded target in the foreground, for people who want to poke at it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from qa_runner.errors import PortTaken, TargetError
from qa_runner.targets.embedded import serve_command, serve_environment
from qa_runner.targets.faults import validate_faults

__all__ = ["serve_in_foreground"]

_STOP_SECONDS = 10.0


def serve_in_foreground(port: int, faults: Sequence[str], tell: Callable[[str], None]) -> None:
    """Serve on ``port`` (0: a free one) from a database in a temporary folder, until Ctrl-C.

    Raises UnknownName for an unknown fault, PortTaken, TargetError if it ends by itself, and
    KeyboardInterrupt at Ctrl-C, once the server has ended.
    """
    chosen = validate_faults(faults)
    with tempfile.TemporaryDirectory(prefix="qa-runner-demo-") as folder:
        command = serve_command(
            port, Path(folder) / "database.sqlite3", None, chosen, foreground=True
        )
        with subprocess.Popen(  # noqa: S603 (our own command)
            command, env=serve_environment(), stdout=subprocess.PIPE
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
        raise PortTaken(f"{answer['error']}; choose another --port, or 0 for a free one")
    raise TargetError(f"the embedded target ended with exit code {process.returncode}")
