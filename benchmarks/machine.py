"""The machine that the numbers belong to, and which core does what."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.job import BenchmarkError

__all__ = ["cores", "describe"]


def cores() -> tuple[int, int]:
    """The core of the servers, and that of the tools.

    Raises BenchmarkError if this is not Linux or there is only one.
    """
    if not hasattr(os, "sched_getaffinity"):
        raise BenchmarkError("the benchmarks need Linux: they assign a core to each side")
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:  # noqa: PLR2004 (one for each side)
        raise BenchmarkError("the benchmarks need two cores: one for the server, one for the tool")
    return mine[0], mine[-1]


def describe() -> dict[str, str]:
    """Date, machine, kernel, Python and how busy it is now, in words."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_gib():.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load average before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
