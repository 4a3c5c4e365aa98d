"""What the server's process tree uses: memory, CPU, threads, open files, database handles."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

import psutil

from qa_runner.clock import Clock
from qa_runner.monitors.monitor import Monitor, Row, Sink
from qa_runner.monitors.process_facts import ProcessFacts, facts_of, largest_python
from qa_runner.monitors.process_rule import ProcessRule
from qa_runner.monitors.server_tree import ServerTree, alive

__all__ = ["ServerMonitor"]

# Who is in the tree, and who owns the port, changes seldom and costs more to find out than the
# rest of a sample.
_REFRESH_SECONDS = 1.0
# CPU times tick at 10 ms: over less than this a percentage is noise.
_CPU_WINDOW_SECONDS = 0.2


class ServerMonitor(Monitor):
    """The series "server": the tree of the process that owns ``port``, or that ``rule`` names.

    ``address`` is the IP address that requests are sent to, where it is known; ``ignore`` are
    further pids of qa-runner itself (its own is always ignored), ``database`` is the SQLite file
    whose open descriptors are counted. While no server is found, rows say ``processes`` 0 and
    leave the rest absent. ``ended`` tells in a sentence how the server ended, if it did and whoever
    started it knows. What permission was refused for is absent, and ``reason`` says so.

    CPU is that of the tree between two samples at least 0.2 s apart, over the number of its
    workers, 100 = one core each; it is absent in the first sample.
    """

    name = "server"
    interval_seconds = 0.25

    def __init__(
        self,
        port: int,
        *,
        address: str = "",
        rule: ProcessRule | None = None,
        ignore: Collection[int] = (),
        database: Path | None = None,
        ended: Callable[[], str] | None = None,
    ) -> None:
        super().__init__()
        self.port = port
        self._database = database
        self._ended = ended
        self._tree = ServerTree(port, {os.getpid(), *ignore}, address=address, rule=rule)
        self._reset()

    def _reset(self) -> None:
        self._restarts = 0
        self._refreshed = -math.inf
        self._served: list[psutil.Process] = []
        self._last_serving: list[psutil.Process] = []
        self._cpu_by_process: dict[psutil.Process, float] = {}
        self._cpu_seconds = 0.0
        self._cpu_wall = time.time()
        self._cpu_history: deque[tuple[float, float]] = deque()

    @property
    def processes_found(self) -> int:
        """How many processes the server has now."""
        return sum(1 for process in self._tree.members if alive(process))

    def start(self, clock: Clock, session: int, sink: Sink) -> None:
        """Begin to measure; a server that is not there yet is found once it is."""
        with self._measuring:
            self._reset()
        super().start(clock, session, sink)

    def sample_now(self) -> None:
        """Take one more sample at once, of the tree as it is now."""
        with self._measuring:
            self._refreshed = -math.inf
            super().sample_now()

    def notes(self) -> list[str]:
        """What the report should say, also of how the server ended."""
        told = self._ended() if self._ended is not None else ""
        return [*super().notes(), *([told] if told else [])]

    def snapshot(self) -> list[ProcessFacts]:
        """The server's processes and the five largest Python processes, as they are now."""
        with self._measuring:
            self._tree.refresh()
            self.reason = self._tree.reason
            tree = [facts_of(process, "server") for process in self._tree.members]
        return [facts for facts in (*tree, *largest_python(5)) if facts is not None]

    def measure(self) -> list[Row]:
        """One row."""
        now = self.clock.now()
        self._find(now)
        members = [process for process in self._tree.members if alive(process)]
        row: dict[str, float | int | str | None] = {
            "time": now,
            "processes": len(members),
            "workers": len(self._tree.serving),
            "restarts": self._restarts,
            "pids": " ".join(str(process.pid) for process in members),
        }
        if members:
            row["cpu_percent"] = self._cpu_percent(now, members)
            row["rss_bytes"] = self._sum("memory", [_rss(process) for process in members])
            row["threads"] = self._sum("threads", [_threads(process) for process in members])
            row["open_files"] = self._sum("open files", [_open(process) for process in members])
            row["database_handles"] = self._database_handles(members)
        return [row]

    def _find(self, now: float) -> None:
        """Find the server's processes, and count those that ended as restarts."""
        gone = [process for process in self._served if not alive(process)]
        if gone or not self._served or now - self._refreshed >= _REFRESH_SECONDS:
            self._tree.refresh()
            self._refreshed = now
        serving = self._tree.serving
        if gone:
            self._restarts += len(gone)
            self.note(f"server process {_pids(gone)} ended at {_when(now)}")
        self._follow(now, serving)
        kept = [process for process in self._served if process not in gone]
        # A process that serves no longer but lives on is remembered: its end still counts.
        self._served = serving + [process for process in kept if process not in serving]
        self.reason = "" if serving else self._tree.reason

    def _follow(self, now: float, serving: list[psutil.Process]) -> None:
        """Tell when other processes serve than before; one more or less of many is no move."""
        if serving and self._last_serving and not set(serving) & set(self._last_serving):
            before, after = _pids(self._last_serving), _pids(serving)
            self.note(f"the server moved from process {before} to {after} at {_when(now)}")
        self._last_serving = serving or self._last_serving

    def _cpu_percent(self, now: float, members: list[psutil.Process]) -> float:
        """CPU of the tree since a sample at least 0.2 s ago, over its workers; NaN without one."""
        first = not self._cpu_history
        for process in members:
            seconds = _cpu_seconds(process)
            if seconds is None:
                continue
            before = self._cpu_by_process.get(process)
            if before is None:
                # What a process used before it was first seen counts only if it is that young.
                young = not first and process.create_time() >= self._cpu_wall
                before = 0.0 if young else seconds
            self._cpu_seconds += max(seconds - before, 0.0)
            self._cpu_by_process[process] = seconds
        self._cpu_by_process = {
            process: seconds
            for process, seconds in self._cpu_by_process.items()
            if process in members
        }
        self._cpu_wall = time.time()
        history = self._cpu_history
        while len(history) > 1 and now - history[1][0] >= _CPU_WINDOW_SECONDS:
            history.popleft()
        percent = math.nan
        if history and now - history[0][0] >= _CPU_WINDOW_SECONDS:
            started, used = history[0]
            workers = max(len(self._tree.serving), 1)
            percent = (self._cpu_seconds - used) / (now - started) / workers * 100.0
        history.append((now, self._cpu_seconds))
        return percent

    def _sum(self, what: str, values: list[float | None]) -> float | None:
        """The sum over the tree; None if a value was refused, since a part is not the whole."""
        if any(value is None for value in values):
            refused = (
                f"{what} of the server could not be read: permission refused; "
                "run qa-runner as the server's user, or with sudo"
            )
            self.note(refused)
            self.reason = self.reason or refused
            return None
        return sum(value for value in values if value is not None)

    def _database_handles(self, members: list[psutil.Process]) -> float | None:
        if self._database is None:
            return None
        name = str(self._database.resolve())
        return self._sum("database handles", [_descriptors_of(each, name) for each in members])


def _pids(processes: list[psutil.Process]) -> str:
    return ", ".join(str(process.pid) for process in processes)


def _when(now: float) -> str:
    """A moment of the session as it stands in the note, also by the clock on the wall."""
    return f"{now:.1f} s ({datetime.now().astimezone().isoformat(timespec='seconds')})"


def _cpu_seconds(process: psutil.Process) -> float | None:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


# Each of these: a number, 0 for a process that ended meanwhile, None without permission.


def _rss(process: psutil.Process) -> float | None:
    try:
        return float(process.memory_info().rss)
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return 0.0


def _threads(process: psutil.Process) -> float | None:
    try:
        return float(process.num_threads())
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return 0.0


def _open(process: psutil.Process) -> float | None:
    try:
        return float(process.num_fds())
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return 0.0


def _descriptors_of(process: psutil.Process, name: str) -> float | None:
    """How many descriptors a process has open on the file ``name``."""
    if sys.platform != "linux":
        try:
            return float(sum(1 for opened in process.open_files() if opened.path == name))
        except psutil.AccessDenied:
            return None
        except psutil.Error:
            return 0.0
    count = 0
    try:
        with os.scandir(f"/proc/{process.pid}/fd") as entries:
            for entry in entries:
                # Descriptors come and go while they are listed.
                with contextlib.suppress(OSError):
                    count += os.readlink(entry.path) == name  # noqa: PTH115 (4 times a second)
    except PermissionError:
        return None
    except OSError:
        return 0.0
    return float(count)
