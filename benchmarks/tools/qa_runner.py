"""qa-runner, in two ways: its engine as a test case uses it, and the command ``qa-runner load``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, Job, Reading
from benchmarks.tools.tool import Absent, Tool, first_line

__all__ = ["COMMAND", "ENGINE", "LoadCommand", "LoadEngine"]

ENGINE = "qa-runner"
COMMAND = "qa-runner load"
_ROOT = Path(__file__).resolve().parents[2]


class LoadEngine(Tool):
    """The generator process under a main process that takes every sample into a table.

    The generator has the tools' core to itself; what takes in the samples shares the server's.
    """

    name: ClassVar[str] = ENGINE
    model: ClassVar[str] = "open"
    paced: ClassVar[bool] = True
    both_cores: ClassVar[bool] = True

    def version(self, cache: Path) -> str:
        """See Tool."""
        del cache
        return first_line([sys.executable, "-m", "qa_runner", "--version"], ".").split()[-1]

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool."""
        del cache
        (folder / "job.json").write_text(json.dumps(asdict(job)))
        here = ["env", f"PYTHONPATH={_ROOT}", sys.executable]
        return [*here, "-m", "benchmarks.engine_run", "job.json"]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool."""
        del job, folder
        return Reading(**json.loads(output))


class LoadCommand(Tool):
    """The command, all of its processes on the tools' core, as for every other tool."""

    name: ClassVar[str] = COMMAND
    model: ClassVar[str] = "open"
    paced: ClassVar[bool] = True

    def version(self, cache: Path) -> str:
        """See Tool."""
        first_line([sys.executable, "-m", "qa_runner", "load", "--help"], "load [OPTIONS] URL")
        return LoadEngine().version(cache)

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool."""
        del cache, folder
        command = [sys.executable, "-m", "qa_runner", "load", job.url, "--method", "POST"]
        command += ["--header", f"Content-Type: {CONTENT_TYPE}", "--timeout", "30s"]
        command += ["--body", BODY.replace("ID", "{i}")]
        users = job.users if job.rate is None else job.in_flight
        command += ["--users", str(users)]
        if job.requests is None:
            command += ["--duration", f"{job.seconds}s"]
        else:
            command += ["--requests", str(job.requests)]
        if job.rate is not None:
            command += ["--rate", str(job.rate)]
        if job.new_connections:
            command.append("--new-connections")
        if job.report:
            command += ["--report", "report.html"]
        return [*command, "--format", "json"]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool."""
        del job, folder
        told = json.loads(output)
        if not told["requests"]:
            raise Absent("the command sent nothing")
        times = told["response_time"]
        lateness = told.get("lateness") or {}
        return Reading(
            requests=told["requests"],
            errors=round((1 - told["success_rate"] / 100) * told["requests"]),
            p50=times["p50"],
            p99=times["p99"],
            lateness_p99=lateness.get("p99"),
        )
