"""hey: Go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, BenchmarkError, Job, Reading
from benchmarks.tools.tool import Absent, Tool, first_line

__all__ = ["Hey"]


class Hey(Tool):
    """hey."""

    name: ClassVar[str] = "hey"
    body: ClassVar[str] = "fixed"
    paced: ClassVar[bool] = True

    def version(self, cache: Path) -> str:
        """See Tool. It does not know its own; Debian does."""
        del cache
        first_line(["hey", "-unknown"], "Usage: hey")
        try:
            return first_line(
                ["dpkg-query", "-W", "-f", "version ${Version}\n", "hey"], "version "
            )[len("version ") :]
        except Absent:
            return "unknown"

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool. Its rate is that of one worker."""
        del cache, folder
        command = ["hey", "-c", str(job.users), "-m", "POST", "-d", BODY, "-T", CONTENT_TYPE]
        if job.requests is None:
            command += ["-z", f"{job.seconds}s"]
        else:
            command += ["-n", str(job.requests)]
        if job.rate is not None:
            command += ["-q", f"{job.rate / job.users:g}"]
        if job.new_connections:
            command.append("-disable-keepalive")
        return [*command, "-disable-redirects", job.url]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool."""
        del job, folder
        statuses = re.findall(r"^\s+\[(\d{3})\]\s+(\d+) responses", output, re.MULTILINE)
        if not statuses:
            raise BenchmarkError("no status codes in the output")
        failed = re.findall(r"^\s+\[(\d+)\]\s+(?!\d+ responses)\S", output, re.MULTILINE)
        times = dict(re.findall(r"^\s+(\d+)%+ in ([\d.]+) secs", output, re.MULTILINE))
        bad = sum(int(count) for status, count in statuses if not status.startswith("2"))
        return Reading(
            requests=sum(int(count) for _, count in statuses),
            errors=bad + sum(int(count) for count in failed),
            p50=float(times["50"]) if "50" in times else None,
            p99=float(times["99"]) if "99" in times else None,
        )
