"""Starts a server, and ends it with whoever asked for it, even by ``kill -9``.

A script, run by its path; standard library only. The first line on stdin is JSON and says what
to start: ``command`` (arguments), ``folder``, ``stop_seconds``; the server's environment is this
process's, and its output goes to this process's stderr. Answers are JSON lines on stdout:
``{"pid": …}`` or ``{"error": …}``, and ``{"ended": exit code}`` once the command has ended. When
stdin closes, the server's whole process group is ended, and then this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

__all__: list[str] = []

_LINUX = sys.platform == "linux"
_PR_SET_CHILD_SUBREAPER = 36
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.05


class _ServerGroup:
    """The process group of a server, which its leader's pid names.

    ``code`` is the leader's exit code (negative: the signal) once it has ended and was this
    process's to reap.
    """

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.code: int | None = None
        self._gone = False

    def reap(self) -> None:
        """Take in children that have ended, also those that the leader left behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == self.leader:
                self.code = os.waitstatus_to_exitcode(status)
        # A group that is gone stays gone: its number may be somebody else's later.
        self._gone = self._gone or not self._signal_group(0)

    def end(self, seconds: float) -> None:
        """End all of it: asked for (SIGTERM), and after ``seconds`` by force."""
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, _KILL_SECONDS)):
            deadline = time.monotonic() + patience
            if self._signal(number):
                # A process that is stopped hears SIGTERM only once it goes on.
                self._signal(signal.SIGCONT)
            while self._signal(0) and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                self.reap()

    def _signal(self, number: int) -> bool:
        """Send to all that are left; whether there were any."""
        self.reap()
        strays = _children_of(os.getpid()) if _LINUX else []
        for pid in strays:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        in_group = not self._gone and self._signal_group(number)
        return in_group or bool(strays)

    def _signal_group(self, number: int) -> bool:
        try:
            os.killpg(self.leader, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def _children_of(parent: int) -> list[int]:
    """Descendants of a process that live, through /proc; what left its group is among them."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # "pid (name) state ppid …"; the name may have anything in it.
                state, ppid = (entry / "stat").read_text("latin-1").rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(ppid)
    found = [parent]
    for pid in found:
        found += [child for child, above in parents.items() if above == pid]
    return found[1:]


def _adopt_orphans() -> None:
    """Become the parent of what the server leaves behind, so that it can be ended and reaped."""
    if _LINUX:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _say(**facts: object) -> None:
    # Whoever asked may be gone: the server is ended all the same.
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(facts).encode() + b"\n")


def _main() -> int:
    line = sys.stdin.buffer.readline()
    if not line:
        return 0  # whoever asked is gone already
    order = json.loads(line)
    _adopt_orphans()
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        server = subprocess.Popen(  # noqa: S603 (the command that the user configured)
            order["command"],
            cwd=order["folder"],
            stdin=subprocess.DEVNULL,
            stdout=2,
            stderr=2,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        _say(error=getattr(error, "strerror", None) or str(error))
        return 1
    group = _ServerGroup(server.pid)
    _say(pid=server.pid)
    told = False
    while not stopping:
        ready, _, _ = select.select([0, readable], [], [])
        stopping = stopping or (0 in ready and not os.read(0, 1024))
        if readable in ready:
            os.read(readable, 1024)
            group.reap()
        if group.code is not None and not told:
            told = True
            _say(ended=group.code)
    group.end(float(order["stop_seconds"]))
    server.returncode = 0  # reaped above, not by the object
    return 0


if __name__ == "__main__":
    sys.exit(_main())
