"""``python -m benchmarks.soak``: ten minutes at 1,000 req/s; does memory stay flat?

The generator sends to nginx at a constant arrival rate. Every sample is kept by the main process,
so its memory grows by what a sample takes and by nothing else; that of the generator not at all.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.job import BODY, CONTENT_TYPE, BenchmarkError
from benchmarks.machine import cores, describe
from benchmarks.nginx import serving
from qa_runner.clock import Clock
from qa_runner.estimate import percentile
from qa_runner.load.plan import ConstantArrivalRate, LoadPlan, Outcome, RequestTemplate
from qa_runner.load.process import GeneratorProcess
from qa_runner.table import SAMPLES, Table

__all__ = ["main"]

_HERE = Path(__file__).resolve().parent
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Minute:
    """What a stretch of the soak came to; times in seconds, memory in bytes."""

    samples: Table
    generator_bytes: int
    main_bytes: int


def soak(rate: int, minutes: int, seconds_per_row: float) -> list[Minute]:
    """Send, and look once for each stretch; raises BenchmarkError if it was cut short."""
    server, own = cores()
    generator = GeneratorProcess(Clock())
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), server) as nginx:
        plan = LoadPlan(
            number=1,
            shape=ConstantArrivalRate(
                rate=rate, duration_seconds=minutes * seconds_per_row, max_in_flight=1000
            ),
            request=RequestTemplate(
                method="POST",
                url=nginx.url(0),
                headers=(("Content-Type", CONTENT_TYPE),),
                body=BODY.replace("ID", "{i}"),
            ),
            tag="soak",
            connections="keep-alive",
        )
        generator.start()
        try:
            return _rows(generator, plan, minutes, seconds_per_row, own)
        finally:
            generator.close()


def _rows(
    generator: GeneratorProcess, plan: LoadPlan, minutes: int, seconds: float, core: int
) -> list[Minute]:
    os.sched_setaffinity(generator.pid, {core})
    handle = generator.submit(plan, part="1.1", role="main")
    start = time.monotonic()
    kept = Table(SAMPLES)
    rows: list[Minute] = []
    for minute in range(1, minutes + 1):
        before = len(kept)
        last = minute == minutes
        while not handle.finished and (last or time.monotonic() < start + minute * seconds):
            generator.poll(_POLL_SECONDS)
            kept = Table.concatenate(SAMPLES, [kept, handle.take()])
            if not handle.finished:
                generator_bytes = _resident(generator.pid)
        rows.append(
            Minute(kept.rows(np.arange(before, len(kept))), generator_bytes, _resident(os.getpid()))
        )
    if handle.stop_reason:
        raise BenchmarkError(f"the load ended early: {handle.stop_reason}")
    return rows


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise BenchmarkError(f"process {pid} has ended")


def page(rows: list[Minute], rate: int, seconds: float, machine: dict[str, str]) -> str:
    """What was found, as Markdown."""
    total = sum(len(row.samples) for row in rows)
    grown = rows[-1].main_bytes - rows[0].main_bytes
    later = total - len(rows[0].samples)
    sent = (rows[-1].generator_bytes - rows[0].generator_bytes) / 1e6
    what = (
        f"{len(rows)} times {seconds:g} s at {rate:,} req/s to nginx over kept connections, by "
        "`python -m benchmarks.soak`. The generator is the process that sends; the main process "
        "keeps every sample."
    )
    head = (
        "| row | requests | errors | dropped | lateness p50, ms | p99 | max "
        "| response time p99, ms | generator RSS, MB | main process RSS, MB |"
    )
    memory = (
        f"Memory of the generator from the first row to the last: {sent:+.1f} MB. "
        f"That of the main process: {grown / 1e6:+.1f} MB, {grown / later:.0f} bytes for each of "
        f"the {later:,} samples that came after the first row."
    )
    facts = [f"- {name}: {value}" for name, value in machine.items()]
    table = [head, "|--:" * 10 + "|", *(_line(number, row) for number, row in enumerate(rows, 1))]
    return "\n".join(["# Soak", "", what, "", *facts, "", *table, "", memory, ""])


def _line(number: int, row: Minute) -> str:
    samples = row.samples
    counts = samples.counts("outcome")
    started = samples.number("started")
    sent = np.isfinite(started)
    late = (started - samples.number("due"))[sent] * 1e3
    times = (samples.number("finished") - samples.number("due"))[sent] * 1e3
    cells = (
        number,
        f"{len(samples):,}",
        len(samples) - counts[Outcome.SUCCESS] - counts[Outcome.DROPPED],
        counts[Outcome.DROPPED],
        f"{percentile(late, 50):.3f}",
        f"{percentile(late, 99):.3f}",
        f"{late.max():.1f}",
        f"{percentile(times, 99):.2f}",
        f"{row.generator_bytes / 1e6:.1f}",
        f"{row.main_bytes / 1e6:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    """0 when the page has been written."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, metavar="REQ/S")
    parser.add_argument("--rows", type=int, default=10, metavar="N")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each row")
    parser.add_argument("--output", default=str(_HERE / "SOAK.md"), metavar="FILE")
    options = parser.parse_args()
    try:
        machine = describe()
        rows = soak(options.rate, options.rows, options.seconds)
        text = page(rows, options.rate, options.seconds, machine)
        Path(options.output).write_text(text)
    except (BenchmarkError, OSError) as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
