"""One load on qa-runner's engine, as a process of its own: ``engine_run JOB.json``.

Prints a Reading as JSON. The generator is moved to the last of the cores that this process was
allowed, this process to the first: qa-runner itself binds nothing.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.job import BODY, CONTENT_TYPE, BenchmarkError, Job, Reading
from qa_runner.clock import Clock
from qa_runner.estimate import percentile
from qa_runner.load.plan import (
    ConstantArrivalRate,
    LoadPlan,
    Outcome,
    RequestTemplate,
    Shape,
    VirtualUsers,
)
from qa_runner.load.process import GeneratorProcess
from qa_runner.table import Table

__all__ = ["main"]

_POLL_SECONDS = 0.5


def main() -> None:
    """Run the load that the file named on the command line describes."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    mine = sorted(os.sched_getaffinity(0))
    generator = GeneratorProcess(Clock())
    generator.start()
    try:
        os.sched_setaffinity(generator.pid, {mine[-1]})
        os.sched_setaffinity(0, {mine[0]})
        reading = read(send(generator, job))
    finally:
        generator.close()
    print(json.dumps(asdict(reading)))  # noqa: T201 (the only thing this process is for)


def send(generator: GeneratorProcess, job: Job) -> Table:
    """The samples of the load; raises BenchmarkError if it was cut short."""
    plan = LoadPlan(
        number=1,
        shape=_shape(job),
        request=RequestTemplate(
            method="POST",
            url=job.url,
            headers=(("Content-Type", CONTENT_TYPE),),
            body=BODY.replace("ID", "{i}"),
        ),
        tag="b",
        timeout_seconds=30.0,
        connections="new" if job.new_connections else "keep-alive",
    )
    handle = generator.submit(plan, part="1.1", role="main")
    while not handle.finished:
        generator.poll(_POLL_SECONDS)
    if handle.stop_reason:
        raise BenchmarkError(f"the load ended early: {handle.stop_reason}")
    return handle.take()


def read(samples: Table) -> Reading:
    """Count, percentiles of response time from due, and lateness of sends."""
    succeeded = samples.text_equals("outcome", Outcome.SUCCESS.value)
    due = samples.number("due")
    times = (samples.number("finished") - due)[succeeded]
    late = samples.number("started") - due
    late = late[~np.isnan(late)]
    return Reading(
        requests=len(samples),
        errors=len(samples) - int(succeeded.sum()),
        p50=percentile(times, 50) if len(times) else None,
        p99=percentile(times, 99) if len(times) else None,
        lateness_p99=percentile(late, 99) if len(late) else None,
    )


def _shape(job: Job) -> Shape:
    if job.rate is not None:
        return ConstantArrivalRate(
            rate=job.rate, duration_seconds=job.seconds, max_in_flight=job.in_flight
        )
    return VirtualUsers(
        users=job.users,
        requests=job.requests,
        duration_seconds=None if job.requests else job.seconds,
    )


if __name__ == "__main__":
    main()
