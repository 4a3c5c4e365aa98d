"""autocannon: JavaScript on Node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, Job, Reading
from benchmarks.tools.tool import Tool, first_line, positive

__all__ = ["Autocannon"]


class Autocannon(Tool):
    """autocannon."""

    name: ClassVar[str] = "autocannon"
    paced: ClassVar[bool] = True
    note: ClassVar[str] = "whole milliseconds"

    def version(self, cache: Path) -> str:
        """See Tool."""
        return first_line([_program(cache), "--version"], "autocannon v").split()[1]

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool. ``[<id>]`` is its field for something unique."""
        del folder
        command = [_program(cache), "-j", "-n", "-c", str(job.users), "-m", "POST"]
        command += ["-H", f"content-type={CONTENT_TYPE}", "-t", "30"]
        command += ["-I", "-b", BODY.replace("ID", "[<id>]")]
        if job.requests is None:
            command += ["-d", str(job.seconds)]
        else:
            command += ["-a", str(job.requests)]
        if job.rate is not None:
            command += ["-R", str(job.rate)]
        if job.new_connections:
            command += ["-D", "1"]
        return [*command, job.url]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool. Its own numbers are milliseconds."""
        del job, folder
        told = json.loads(output)
        return Reading(
            requests=told["2xx"] + told["non2xx"],
            errors=told["non2xx"] + told["errors"],
            p50=positive(told["latency"]["p50"] / 1e3),
            p99=positive(told["latency"]["p99"] / 1e3),
        )


def _program(cache: Path) -> str:
    return str(cache / "node_modules" / ".bin" / "autocannon")
