"""One tool on one case: run it, and turn what was seen into named numbers."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.bare_timer import bare_timer_p99
from benchmarks.child import bound, finish, started
from benchmarks.delay_server import DELAY_SECONDS, DelayServer
from benchmarks.job import BenchmarkError, Job, Reading
from benchmarks.nginx import Nginx
from benchmarks.section import STALL_SECONDS, Case
from benchmarks.tools.tool import Tool
from benchmarks.watch import GENERATOR, MAIN, Watch, busy_until, steady

__all__ = ["Bench", "Values", "lateness_seconds"]

Values = dict[str, float]
_GRACE_SECONDS = 60
_BARE_TIMER_SECONDS = 2


class Bench:
    """Where tools are run: ``cores`` are the servers' and the tools'."""

    def __init__(self, cache: Path, folder: Path, cores: tuple[int, int]) -> None:
        self._cache = cache
        self._folder = folder
        self._cores = cores

    def on_nginx(self, tool: Tool, job: Job, server: Nginx) -> Values:
        """Requests, CPU and memory, watched from outside.

        Raises BenchmarkError if the tool fails or its output can't be read.
        """
        folder = self._fresh()
        with started(self._command(tool, job, folder), folder) as process:
            with Watch(process.pid, server.served) as watch:
                output = finish(process, folder, job.seconds + _GRACE_SECONDS)
            ended = time.monotonic()
            reading = _read(tool, job, output, folder)
        peaks = watch.peak_bytes()
        values = _of_reading(reading)
        values["peak_mb"] = sum(peaks.values()) / 1e6
        if GENERATOR in peaks:
            values["generator_peak_mb"] = peaks[GENERATOR] / 1e6
        if last := busy_until(watch.snapshots):
            values["after_seconds"] = ended - last
        if middle := steady(watch.snapshots):
            used = middle.cpu_seconds_per_request
            values["requests_per_second"] = middle.requests_per_second
            values["cpu_us"] = sum(used.values()) * 1e6
            if GENERATOR in used:
                values["main_cpu_us"] = used[MAIN] * 1e6
        return values

    def on_delay(self, tool: Tool, case: Case, job: Job, server: DelayServer) -> Values:
        """What the tool reports, beside what the server logged; raises as on_nginx."""
        folder = self._fresh()
        values: Values = {}
        if case.stall_after_seconds is not None:
            server.reset(stall_after_seconds=case.stall_after_seconds, stall_seconds=STALL_SECONDS)
        else:
            server.reset()
            if job.rate is not None:
                bare = bare_timer_p99(self._folder, self._cores[-1], job.rate, _BARE_TIMER_SECONDS)
                values["bare_timer_p99_ms"] = bare * 1e3
        with started(self._command(tool, job, folder), folder) as process:
            output = finish(process, folder, job.seconds + _GRACE_SECONDS)
            reading = _read(tool, job, output, folder)
        log = server.log()
        values |= _of_reading(reading)
        values["arrived"] = len(log)
        answered = log[log[:, 1] > 0]
        if len(answered):
            dwell = (answered[:, 1] - answered[:, 0]) / 1e6
            values["server_p99_above_ms"] = float(np.percentile(dwell, 99)) - DELAY_SECONDS * 1e3
        if job.rate is not None and len(log):
            late = lateness_seconds(log[:, 0], job.rate) * 1e3
            values["lateness_p50_ms"] = float(np.percentile(late, 50))
            values["lateness_p99_ms"] = float(np.percentile(late, 99))
        return values

    def _fresh(self) -> Path:
        folder = self._folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _command(self, tool: Tool, job: Job, folder: Path) -> list[str]:
        mine = self._cores if tool.both_cores else self._cores[1:]
        return bound(tool.command(job, self._cache, folder), *mine)


def lateness_seconds(arrivals: npt.NDArray[np.int64], rate: float) -> npt.NDArray[np.float64]:
    """How far each arrival (ns, in any order) lies behind its place on an even grid.

    The grid begins as late as it can with none ahead of it: what all have in common, such as the
    time to the server, is no lateness.
    """
    ordered = np.sort(arrivals)
    behind = (ordered - ordered[0]) / 1e9 - np.arange(len(ordered)) / rate
    lateness: npt.NDArray[np.float64] = behind - behind.min()
    return lateness


def _read(tool: Tool, job: Job, output: str, folder: Path) -> Reading:
    try:
        return tool.read(job, output, folder)
    except (ValueError, KeyError, IndexError, TypeError, OSError) as error:
        raise BenchmarkError(f"its output can't be read: {error!r}") from None


def _of_reading(reading: Reading) -> Values:
    values: Values = {"requests": reading.requests, "errors": reading.errors}
    if reading.p50 is not None:
        values["p50_above_ms"] = (reading.p50 - DELAY_SECONDS) * 1e3
    if reading.p99 is not None:
        values["p99_above_ms"] = (reading.p99 - DELAY_SECONDS) * 1e3
        values["p99_seconds"] = reading.p99
    if reading.lateness_p99 is not None:
        values["reported_lateness_p99_ms"] = reading.lateness_p99 * 1e3
    return values
