"""vegeta: Go, an open model at heart."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, Job, Reading
from benchmarks.tools.tool import Absent, Tool, first_line

__all__ = ["Vegeta"]

_REQUESTS_PER_SECOND = 20_000
"""Of its unpaced mode, to turn a number of requests into a time."""


class Vegeta(Tool):
    """vegeta."""

    name: ClassVar[str] = "vegeta"
    body: ClassVar[str] = "fixed"
    model: ClassVar[str] = "open"
    paced: ClassVar[bool] = True
    counted: ClassVar[bool] = False

    def version(self, cache: Path) -> str:
        """See Tool."""
        del cache
        try:
            return first_line(["vegeta", "-version"], "Version:").split()[-1]
        except Absent:
            raise Absent(
                "not on the PATH, and in no release of Debian, nor on PyPI or npm (Homebrew has it)"
            ) from None

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool. Rate 0 is as fast as its workers can."""
        del cache
        (folder / "body.json").write_text(BODY)
        (folder / "targets").write_text(f"POST {job.url}\nContent-Type: {CONTENT_TYPE}\n")
        workers = job.users if job.rate is None else job.in_flight
        seconds = job.seconds
        if job.requests is not None:
            seconds = math.ceil(job.requests / _REQUESTS_PER_SECOND)
        attack = [
            "vegeta",
            "attack",
            f"-rate={job.rate or 0}",
            f"-workers={min(workers, 50)}",
            f"-max-workers={workers}",
            f"-connections={workers}",
            f"-duration={seconds}s",
            f"-keepalive={'false' if job.new_connections else 'true'}",
            "-targets=targets",
            "-body=body.json",
            "-output=results.bin",
        ]
        report = ["vegeta", "report", "-type=json", "results.bin"]
        return ["sh", "-c", f"{shlex.join(attack)} && {shlex.join(report)}"]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool. Its own numbers are nanoseconds."""
        del job, folder
        told = json.loads(output)
        succeeded = round(told["success"] * told["requests"])
        return Reading(
            requests=told["requests"],
            errors=told["requests"] - succeeded,
            p50=told["latencies"]["50th"] / 1e9,
            p99=told["latencies"]["99th"] / 1e9,
        )
