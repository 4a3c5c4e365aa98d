"""What lateness the machine itself adds at the time; see bare_timer.c."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import bound, finish, started
from benchmarks.compiler import compiled

__all__ = ["bare_timer_p99"]

_SOURCE = Path(__file__).with_name("bare_timer.c")
_GRACE_SECONDS = 10


def bare_timer_p99(folder: Path, core: int, rate: int, seconds: int) -> float:
    """The 99th percentile of lateness in seconds; raises BenchmarkError."""
    program = folder / _SOURCE.stem
    if not program.exists():
        compiled(_SOURCE, folder)
    with started(bound([str(program), str(rate), str(seconds)], core), folder) as process:
        return int(finish(process, folder, seconds + _GRACE_SECONDS)) / 1e9
