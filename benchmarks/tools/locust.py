"""Locust with its faster client, FastHttpUser: Python, gevent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, BenchmarkError, Job, Reading
from benchmarks.tools.tool import Tool, first_line

__all__ = ["Locust"]

_SCRIPT = """\
from itertools import count

import gevent
from locust.exception import StopUser
from locust import FastHttpUser, constant, constant_throughput, task

BEFORE, AFTER = {before!r}, {after!r}
numbers = count(1)


class Purchaser(FastHttpUser):
    wait_time = {wait}
    default_headers = {headers}

    @task
    def purchase(self):
        number = next(numbers)
        if {most} and number > {most}:
            if number == {most} + 1:
                gevent.spawn_later(1, self.environment.runner.quit)
            raise StopUser
        self.client.post({path!r}, data=BEFORE + str(number) + AFTER, headers=self.default_headers)
"""


class Locust(Tool):
    """Locust."""

    name: ClassVar[str] = "Locust"
    paced: ClassVar[bool] = True
    note: ClassVar[str] = "FastHttpUser; keeps times rounded to two digits"

    def version(self, cache: Path) -> str:
        """See Tool."""
        return first_line([_program(cache), "--version"], "locust ").split()[1]

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool."""
        before, _, after = BODY.partition("ID")
        host, _, path = job.url.removeprefix("http://").partition("/")
        headers = {"Content-Type": CONTENT_TYPE}
        if job.new_connections:
            headers["Connection"] = "close"
        script = _SCRIPT.format(
            before=before,
            after=after,
            wait="constant(0)"
            if job.rate is None
            else f"constant_throughput({job.rate / job.users!r})",
            headers=headers,
            most=job.requests or 0,
            path=f"/{path}",
        )
        (folder / "locustfile.py").write_text(script)
        users = str(job.users)
        # With a rate every request is wanted in the log, from the first user on.
        reset = [] if job.requests is not None or job.rate is not None else ["--reset-stats"]
        load = ["-u", users, "-r", users, "-t", f"{job.seconds}s", *reset]
        return [
            *(_program(cache), "-f", "locustfile.py", "--headless", "--skip-log", "--json"),
            *("--host", f"http://{host}", *load),
        ]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool. Its times are counts by rounded milliseconds."""
        del job, folder
        entries = json.loads(output[output.index("[") :])
        if not entries:
            raise BenchmarkError("it counted no request")
        told = entries[0]
        times = {float(ms): count for ms, count in told["response_times"].items()}
        return Reading(
            requests=told["num_requests"],
            errors=told["num_failures"],
            p50=_percentile(times, 0.5),
            p99=_percentile(times, 0.99),
        )


def _percentile(counts: dict[float, int], share: float) -> float | None:
    """Seconds, by nearest rank, from counts by milliseconds."""
    left = share * sum(counts.values())
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value / 1e3
    return None


def _program(cache: Path) -> str:
    return str(cache / "peers" / "bin" / "locust")
