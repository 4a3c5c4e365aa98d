"""ApacheBench: C, one thread, HTTP/1.0."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, BenchmarkError, Job, Reading
from benchmarks.tools.tool import Tool, first_line, positive

__all__ = ["ApacheBench"]

_UNBOUNDED = 2_000_000


class ApacheBench(Tool):
    """ab."""

    name: ClassVar[str] = "ab"
    body: ClassVar[str] = "fixed"
    note: ClassVar[str] = "HTTP/1.0"

    def version(self, cache: Path) -> str:
        """See Tool."""
        del cache
        return first_line(["ab", "-V"], "Version").partition("Version ")[2].partition(" ")[0]

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool. -t comes before -n: it sets a -n of its own."""
        del cache
        (folder / "body.json").write_text(BODY)
        command = ["ab", "-q", "-l", "-r", "-c", str(job.users)]
        if job.requests is None:
            command += ["-t", str(job.seconds), "-n", str(_UNBOUNDED)]
        else:
            command += ["-n", str(job.requests)]
        if not job.new_connections:
            command.append("-k")
        return [*command, "-p", "body.json", "-T", CONTENT_TYPE, "-e", "percentiles.csv", job.url]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool. The table of percentiles has three decimals, the text whole milliseconds."""
        del job
        found = {
            name: int(count)
            for name, count in re.findall(
                r"^(Complete requests|Failed requests|Non-2xx responses):\s+(\d+)",
                output,
                re.MULTILINE,
            )
        }
        if "Complete requests" not in found:
            raise BenchmarkError("no count of requests in the output")
        with (folder / "percentiles.csv").open() as file:
            rows = {row[0]: float(row[1]) / 1e3 for row in list(csv.reader(file))[1:]}
        return Reading(
            requests=found["Complete requests"],
            errors=found.get("Failed requests", 0) + found.get("Non-2xx responses", 0),
            p50=positive(rows["50"]),
            p99=positive(rows["99"]),
        )
