"""What the whole machine does: CPU, load, memory, disk."""

from __future__ import annotations

import math
import os
import platform

import psutil

from qa_runner.monitors.monitor import Monitor, Row

__all__ = ["SystemMonitor"]


class SystemMonitor(Monitor):
    """The series "system". CPU is that since the sample before, absent in the first one."""

    name = "system"
    interval_seconds = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._busy: tuple[float, float] | None = None

    def measure(self) -> list[Row]:
        """One row."""
        disk = _disk()
        return [
            {
                "time": self.clock.now(),
                "cpu_percent": self._cpu_percent(),
                "load_1_minute": _load()[0],
                "memory_used_bytes": _memory_used(),
                "disk_read_bytes": disk[0],
                "disk_written_bytes": disk[1],
            }
        ]

    def snapshot(self) -> dict[str, str | int | float | None]:
        """Facts about the machine as it is now.

        ``cpu_percent`` is measured over a fifth of a second, memory is in bytes, disk counters
        are since the machine started; None where the system does not say.
        """
        disk = _disk()
        load = _load()
        return {
            "cpu_count": os.cpu_count(),
            "cpu_percent": psutil.cpu_percent(interval=0.2),
            "load_1_minute": _known(load[0]),
            "load_5_minutes": _known(load[1]),
            "load_15_minutes": _known(load[2]),
            "memory_total_bytes": int(psutil.virtual_memory().total),
            "memory_used_bytes": _memory_used(),
            "disk_read_bytes": _known(disk[0]),
            "disk_written_bytes": _known(disk[1]),
            "operating_system": platform.platform(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        }

    def _cpu_percent(self) -> float:
        times = psutil.cpu_times()
        # Guest time is part of user time already; waiting for a disk is idle.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        idle = times.idle + getattr(times, "iowait", 0.0)
        before, self._busy = self._busy, (total - idle, total)
        if before is None or total <= before[1]:
            return math.nan
        share = (total - idle - before[0]) / (total - before[1]) * 100.0
        return min(max(share, 0.0), 100.0)


def _memory_used() -> int:
    memory = psutil.virtual_memory()
    return int(memory.total - memory.available)


def _load() -> tuple[float, float, float]:
    try:
        return os.getloadavg()
    except OSError:
        return (math.nan, math.nan, math.nan)


def _disk() -> tuple[float, float]:
    """Bytes read and written since the machine started; NaN where there is no such counter."""
    try:
        counters = psutil.disk_io_counters()
    except (RuntimeError, OSError):
        counters = None
    if counters is None:
        return (math.nan, math.nan)
    return (float(counters.read_bytes), float(counters.write_bytes))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
