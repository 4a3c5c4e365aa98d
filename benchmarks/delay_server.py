"""The server that answers after a fixed delay, and its log; see delay_server.c."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.child import bound, end
from benchmarks.compiler import compiled
from benchmarks.job import BenchmarkError

__all__ = ["DELAY_SECONDS", "DelayServer", "delaying"]

DELAY_SECONDS = 0.02
_SOURCE = Path(__file__).with_name("delay_server.c")


class DelayServer:
    """A running one."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._log = folder / "arrivals.bin"
        self.url = f"http://127.0.0.1:{int(self._line())}/purchase"

    def reset(self, *, stall_after_seconds: float = 0.0, stall_seconds: float = 0.0) -> None:
        """Forget its log; stall once, that long after the next request."""
        microseconds = round(DELAY_SECONDS * 1e6)
        after, stall = round(stall_after_seconds * 1e3), round(stall_seconds * 1e3)
        if self._ask(f"reset {microseconds} {after} {stall}") != "ok":
            raise BenchmarkError("the delay server does not understand")

    def log(self) -> npt.NDArray[np.int64]:
        """Shape (requests, 2): arrived and answered in ns of CLOCK_MONOTONIC; 0 if never."""
        self._ask(f"log {self._log}")
        return np.fromfile(self._log, np.int64).reshape(-1, 2)

    def _ask(self, line: str) -> str:
        if self._process.stdin is None:
            raise BenchmarkError("the delay server has no pipe")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise BenchmarkError("the delay server has ended")
        return line.strip()


@contextlib.contextmanager
def delaying(folder: Path, core: int) -> Iterator[DelayServer]:
    """Compile and start it; raises BenchmarkError if there is no compiler."""
    program = compiled(_SOURCE, folder)
    process = subprocess.Popen(  # noqa: S603 (what was just compiled)
        bound([str(program)], core),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield DelayServer(process, folder)
    finally:
        end(process)
