"""A process tree under load, watched from outside: CPU, memory, and what the server served.

The same yardstick for every tool, whatever it says of itself: requests by the server's count,
CPU by the kernel's, both over the steady middle of the load, without start-up and end.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Self

__all__ = ["GENERATOR", "MAIN", "Snapshot", "Steady", "Watch", "busy_until", "steady"]

INTERVAL_SECONDS = 0.1
WARM_UP_SECONDS = 0.5
MAIN = "main"
GENERATOR = "generator"
_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY_SHARE = 0.2
_ENOUGH = 3
_GENERATOR_MODULE = b"qa_runner.load.generator"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look: CPU seconds so far and peak memory in bytes by role, and requests served."""

    time: float
    served: int
    cpu_seconds: Mapping[str, float]
    peak_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Steady:
    """The steady middle of a load."""

    requests_per_second: float
    cpu_seconds_per_request: Mapping[str, float]


def steady(snapshots: list[Snapshot]) -> Steady | None:
    """Rates between the first busy moment plus a warm-up and the last; None if too short.

    Busy is an interval with at least a fifth of the requests of the median one that had any.
    """
    busy = _busy(snapshots)
    if not busy:
        return None
    begin = snapshots[busy[0]].time + WARM_UP_SECONDS
    # The last busy interval may hold the end of the load.
    window = [look for look in snapshots[busy[0] : busy[-1] + 1] if look.time >= begin]
    if len(window) < _ENOUGH:
        return None
    first, last = window[0], window[-1]
    served = last.served - first.served
    if served <= 0:
        return None
    return Steady(
        served / (last.time - first.time),
        {
            role: (used - first.cpu_seconds.get(role, 0.0)) / served
            for role, used in last.cpu_seconds.items()
        },
    )


def _busy(snapshots: list[Snapshot]) -> list[int]:
    """Indexes of the snapshots that begin a busy interval."""
    pairs = itertools.pairwise(snapshots)
    counts = [later.served - earlier.served for earlier, later in pairs]
    some = [count for count in counts if count > 0]
    enough = median(some) * _BUSY_SHARE if some else 0
    return [index for index, count in enumerate(counts) if count > 0 and count >= enough]


def busy_until(snapshots: list[Snapshot]) -> float | None:
    """When the load was last seen to go on, on the monotonic clock."""
    busy = _busy(snapshots)
    return snapshots[busy[-1] + 1].time if busy else None


@dataclass
class Watch:
    """Looks at a process and its descendants every 0.1 s, until told to stop."""

    pid: int
    served: Callable[[], int]
    snapshots: list[Snapshot] = field(default_factory=list)
    _peaks: dict[int, tuple[str, int]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_regularly, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def peak_bytes(self) -> dict[str, int]:
        """Highest resident memory by role, each process at its own peak, summed."""
        totals: dict[str, int] = {}
        for role, peak in self._peaks.values():
            totals[role] = totals.get(role, 0) + peak
        return totals

    def _look_regularly(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            with contextlib.suppress(OSError):  # between two loads the server may be restarting
                self._look()

    def _look(self) -> None:
        cpu: dict[str, float] = {}
        now, served = time.monotonic(), self.served()
        for pid in _tree(self.pid):
            with contextlib.suppress(OSError, ValueError):  # it ended while we looked
                role, peak = self._peaks.get(pid, (MAIN, 0))
                # What has ended and is not reaped yet has neither a command nor memory.
                role = GENERATOR if _is_generator(pid) else role
                self._peaks[pid] = (role, _peak_bytes(pid) or peak)
                cpu[role] = cpu.get(role, 0.0) + _cpu_seconds(pid)
        self.snapshots.append(Snapshot(now, served, cpu, self.peak_bytes()))


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _is_generator(pid: int) -> bool:
    return _GENERATOR_MODULE in Path(f"/proc/{pid}/cmdline").read_bytes()


def _cpu_seconds(pid: int) -> float:
    # Behind the name, which stands in brackets and may hold anything: fields 14 and 15 of proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
