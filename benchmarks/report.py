"""``python -m benchmarks.report``: how long reports take, how much memory, how large they are.

Makes two runs in a temporary folder, one like a full run of PURCHASE-006 and one with a million
requests, renders each twice with ``qa-runner report``, and prints what it found beside the goals.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.watch import Watch
from qa_runner import __version__
from qa_runner.result import Attempt, LoadResult, PartResult, RunResult, StepResult, TargetResult
from qa_runner.result import Session as RunSession
from qa_runner.store import RunWriter
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.verdict import Verdict

__all__ = ["main", "stored_run"]

_FULL, _MANY = 7_000, 1_000_000
_MEGABYTE = 1e6
_STEPS = (
    # title, chart, share of all requests, seconds, of which without success
    ("Environment and baseline", "phases", 0.0, 3, 0.0),
    ("Single requests", "response_times", 0.004, 12, 0.0),
    ("Concurrent requests", "concurrency", 0.4, 40, 0.05),
    ("Sustained load", "sustained", 0.036, 120, 0.0),
    ("Database impact", "database", 0.02, 40, 0.0),
    ("Memory and CPU", "resources", 0.04, 60, 0.0),
    ("Error rate under stress", "errors", 0.1, 10, 0.1),
    ("Recovery and integrity", "recovery", 0.4, 60, 0.02),
)
_AT_ONCE = 100_000
_EVERY = {"server": 0.25, "database": 1.0, "generator": 1.0}


@dataclass(frozen=True, slots=True)
class Found:
    """What one rendering took."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    page_mb: float
    page: bytes


def main(arguments: list[str] | None = None) -> int:
    """0 if all goals are met, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--many", type=int, default=_MANY, help="requests of the larger run")
    options = parser.parse_args(arguments)
    met = True
    with tempfile.TemporaryDirectory(prefix="qa-runner-report-") as folder:
        for requests, seconds, memory_mb in ((_FULL, 3.0, None), (options.many, 10.0, 500.0)):
            run = stored_run(Path(folder) / f"run-{requests}", requests)
            lines = list(_judged(_render(run), _render(run), seconds, memory_mb))
            sys.stdout.write(f"{requests:,} requests\n")
            for words, good in lines:
                sys.stdout.write(f"  {words}: {'met' if good else 'NOT MET'}\n")
                met = met and good
    return 0 if met else 1


def _judged(
    first: Found, second: Found, seconds: float, memory_mb: float | None
) -> Iterator[tuple[str, bool]]:
    took = min(first.seconds, second.seconds)
    cpu = min(first.cpu_seconds, second.cpu_seconds)
    words = f"{took:.2f} s, {cpu:.2f} s of CPU time, goal less than {seconds:g} s"
    yield words, took < seconds
    if memory_mb is not None:
        yield (
            f"{first.memory_mb:.0f} MB at most, goal less than {memory_mb:g} MB",
            first.memory_mb < memory_mb,
        )
    yield f"page of {first.page_mb:.3f} MB, goal less than 1 MB", first.page_mb < 1
    yield "the same bytes when rendered again", first.page == second.page


def _render(run: Path) -> Found:
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "qa_runner", "report", str(run)], stdout=subprocess.DEVNULL
    )
    with Watch(process.pid, served=lambda: 0) as watch:
        _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"qa-runner report ended with {process.returncode}")
    page = (run / "report.html").read_bytes()
    return Found(
        seconds=took,
        cpu_seconds=used.ru_utime + used.ru_stime,
        # Two processes may draw; what they share is counted in both.
        memory_mb=sum(watch.peak_bytes().values()) / _MEGABYTE,
        page_mb=len(page) / _MEGABYTE,
        page=page,
    )


def stored_run(folder: Path, requests: int) -> Path:
    """A run folder of eight steps with about so many requests."""
    writer = RunWriter.create(folder)
    random = np.random.default_rng(6)
    steps = []
    now = 1.0
    for number, (_, _, share, seconds, failing) in enumerate(_STEPS, start=1):
        name = f"samples/step-{number}-attempt-1.npy"
        count = max(round(requests * share), 1)
        for first in range(0, count, _AT_ONCE):
            size = min(_AT_ONCE, count - first)
            at = now + seconds * (first + np.arange(size)) / count
            writer.append_samples(name, _samples(random, number, first, at, failing))
        for series, every in _EVERY.items():
            writer.append_series(
                series, _series(random, series, np.arange(now, now + seconds, every))
            )
        steps.append(_step(number, name, (now, now + seconds), count))
        now += seconds + 0.5
    writer.write_result(
        RunResult(
            tool_version=__version__,
            run_id=folder.name,
            test_id="PURCHASE-006",
            test_name="A run that was never sent",
            description="Its requests are made up.",
            tag="r1a1",
            verdict=Verdict.PASS,
            status="finished",
            profile="full",
            started="2026-11-21T10:00:00+00:00",
            finished="2026-11-21T10:06:00+00:00",
            duration_seconds=now,
            target=TargetResult(name="none", url="http://127.0.0.1:8000", environment="none"),
            sessions=[
                RunSession(
                    id=1,
                    wall_start="2026-11-21T10:00:00+00:00",
                    monotonic_start=0.0,
                    command="qa-runner run PURCHASE-006",
                )
            ],
            steps=steps,
        )
    )
    return folder


def _step(number: int, samples: str, span: tuple[float, float], count: int) -> StepResult:
    title, chart, *_ = _STEPS[number - 1]
    start, end = span
    load = LoadResult(
        number=number,
        role="main",
        tag="r1a1",
        shape=f"constant arrival rate, {count / (end - start):.0f} req/s",
        request="POST http://127.0.0.1:8000/\n\n{}",
        connections="new",
        timeout_seconds=10.0,
        start=start,
        end=end,
        outcomes={"success": count},
    )
    part = PartResult(
        id=f"{number}.1", title=title, verdict=Verdict.PASS, start=start, end=end, loads=[load]
    )
    attempt = Attempt(
        number=1,
        session=1,
        started="2026-11-21T10:00:00+00:00",
        verdict=Verdict.PASS,
        start=start,
        end=end,
        parts=[part],
        reason="run",
        samples=samples,
    )
    return StepResult(
        number=number,
        title=title,
        purpose="To be rendered.",
        figure=f"0{number}_{chart}",
        chart=chart,
        verdict=Verdict.PASS,
        attempts=[attempt],
    )


def _samples(
    random: np.random.Generator,
    number: int,
    first: int,
    due: np.ndarray[tuple[int], np.dtype[np.float64]],
    failing: float,
) -> Table:
    size = due.size
    started = due + 0.0004
    first_byte = started + 0.05 * random.lognormal(0, 0.4, size)
    failed = random.random(size) < failing
    columns = {
        "session": np.ones(size),
        "load": np.full(size, float(number)),
        "iteration": first + np.arange(float(size)),
        "user": np.zeros(size),
        "due": due,
        "started": started,
        "resolved": started,
        "connected": started + 0.0003,
        "secured": started + 0.0003,
        "sent": started + 0.0005,
        "first_byte": first_byte,
        "finished": first_byte + 0.0002,
        "status": np.where(failed, 500.0, 201.0),
        "bytes_received": np.full(size, 412.0),
        "reused": np.zeros(size),
        "json_object": np.ones(size),
    }
    texts = {
        "part": [f"{number}.1"] * size,
        "role": ["main"] * size,
        "outcome": ["server error" if bad else "success" for bad in failed],
        "error": [
            f"HTTP 500 after {index % 40} ms" if bad else "" for index, bad in enumerate(failed)
        ],
        "excerpt": ['{"error": "database is locked"}' if bad else "" for bad in failed],
    }
    return Table(SAMPLES, columns | texts)


def _series(
    random: np.random.Generator, name: str, at: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Table:
    values = {
        "server": {
            "rss_bytes": (90e6 + 1e4 * at + random.normal(0, 4e4, at.size)).round(),
            "cpu_percent": np.abs(random.normal(22, 9, at.size)),
            "database_handles": np.full(at.size, 3.0),
            "restarts": np.zeros(at.size),
        },
        "database": {
            "transactions_added": np.floor(at * 2),
            "users_added": np.floor(at * 2),
            "query_seconds": np.abs(random.normal(8e-4, 1e-4, at.size)),
            "probe_seconds": np.full(at.size, 0.004),
        },
        "generator": {
            "cpu_percent": np.full(at.size, 12.0),
            "loop_lag_seconds": np.full(at.size, 0.001),
        },
    }
    return Table(SERIES[name], {"session": np.ones(at.size), "time": at, **values[name]})


if __name__ == "__main__":
    sys.exit(main())
