"""The guardian of a server, and through it the server: started, asked how it is, ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

__all__ = ["GuardianProcess"]

_GUARDIAN = Path(__file__).with_name("guardian.py")
_SPAWN_SECONDS = 10.0
# The guardian waits for the server to end; this is what it may take itself, killing included.
_OWN_SECONDS = 10.0


class GuardianProcess:
    """A server that is the child of a guardian process.

    The guardian lives as long as the pipe to its stdin: when this process is gone, even by
    ``kill -9``, it ends the server's process group and itself. Both are in sessions of their own,
    so that Ctrl-C at the run does not reach them. ``server`` is None before it is started.
    """

    def __init__(self, stop_seconds: float) -> None:
        self.server: psutil.Process | None = None
        self.code: int | None = None
        """The server's exit code, negative for a signal, once :meth:`end_of_server` saw it end."""
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def start(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]
    ) -> str:
        """Start the server; what is wrong if that fails, else ""."""
        self._process = subprocess.Popen(  # noqa: S603 (our own script)
            # Alone with its standard library: nothing of the project stands in for it.
            [sys.executable, "-I", "-S", str(_GUARDIAN)],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        order = {
            "command": list(arguments),
            "folder": str(folder),
            "stop_seconds": self._stop_seconds,
        }
        stdin = _pipe(self._process.stdin)
        # If it is gone already, it has no answer.
        with contextlib.suppress(OSError):
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        answer = self._answer(self._process, _SPAWN_SECONDS)
        if "pid" not in answer:
            return str(answer.get("error", "its guardian process did not start"))
        with contextlib.suppress(psutil.Error):
            self.server = psutil.Process(answer["pid"])
        return ""

    def end_of_server(self) -> str:
        """How it ended by itself, in words; "" while it runs, and once it was stopped."""
        process = self._process
        if process is None:
            return ""
        if self.code is None:
            self.code = self._answer(process, 0.0).get("ended")
        if self.code is not None:
            return _ending(self.code)
        return "" if process.poll() is None else "is on its own: its guardian process ended"

    def stop(self) -> None:
        """End the server and all that it started; without effect if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()
        try:
            process.wait(self._stop_seconds + _OWN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            _pipe(process.stdout).close()
        self._end_what_is_left()

    def _end_what_is_left(self) -> None:
        """End the server if its guardian could not: it was killed, say."""
        server, self.server = self.server, None
        if server is None:
            return
        try:
            left = [server, *server.children(recursive=True)] if server.is_running() else []
            for process in left:
                process.terminate()
            _, stubborn = psutil.wait_procs(left, timeout=self._stop_seconds)
            if stubborn:
                os.killpg(server.pid, signal.SIGKILL)
        except (psutil.Error, OSError):
            return

    def _answer(self, process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
        """The next line of the guardian; empty if none comes in time, or it is gone."""
        descriptor = _pipe(process.stdout).fileno()
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return {}
                chunk = os.read(descriptor, 4096)
                if not chunk:
                    return {}
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return dict(json.loads(line))


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _pipe(stream: Any) -> Any:
    assert stream is not None  # noqa: S101 (asked for above; for the type checker)
    return stream
