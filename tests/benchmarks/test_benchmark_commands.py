"""What a job asks for stands in the command, or in the script, of every tool."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.job import Job
from benchmarks.tools import TOOLS
from benchmarks.tools.tool import Tool

JOB = Job(url="http://127.0.0.5:8123/purchase", users=50, seconds=7)
RUNNABLE = [tool for tool in TOOLS if tool.name != "wrk2"]


def asked(tool: Tool, job: Job, folder: Path) -> str:
    """The command and every file that goes with it."""
    command = tool.command(job, Path("/cache"), folder)
    files = [file.read_text() for file in sorted(folder.iterdir())]
    return "\n".join([shlex.join(command), *files])


@pytest.mark.parametrize("tool", RUNNABLE, ids=lambda tool: tool.name)
def test_address_time_and_body(tool: Tool, tmp_path: Path) -> None:
    text = asked(tool, JOB, tmp_path)
    assert "127.0.0.5:8123" in text
    assert "7" in text.replace("127.0.0.5:8123", "")
    if tool.name != "qa-runner":  # its body is made where the job is read
        assert "PURCHASE-006" in text
    assert tool.body in ("unique", "fixed")
    if tool.body == "unique":
        assert "qa-b-ID@" not in text


@pytest.mark.parametrize("tool", RUNNABLE, ids=lambda tool: tool.name)
def test_new_connections_change_the_command(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    kept = asked(tool, JOB, tmp_path / "a")
    assert asked(tool, replace(JOB, new_connections=True), tmp_path / "b") != kept


@pytest.mark.parametrize(
    "tool", [tool for tool in RUNNABLE if tool.counted], ids=lambda tool: tool.name
)
def test_a_number_of_requests(tool: Tool, tmp_path: Path) -> None:
    assert "123457" in asked(tool, replace(JOB, requests=123457), tmp_path)


def test_a_rate_is_shared_where_a_tool_wants_it_by_user(tmp_path: Path) -> None:
    job = replace(JOB, rate=2000, in_flight=300)
    for tool, word in (
        ("hey", "-q 40 "),
        ("Locust", "constant_throughput(40.0)"),
        ("autocannon", "-R 2000"),
        ("vegeta", "-rate=2000"),
        ("k6", '"preAllocatedVUs": 300'),
        ("qa-runner load", "--rate 2000"),
    ):
        folder = tmp_path / tool
        folder.mkdir()
        assert word in asked(next(one for one in TOOLS if one.name == tool), job, folder)
