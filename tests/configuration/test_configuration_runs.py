"""Runs of a case that sends nothing, against a target of the configuration."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from configuration_bench import Cli

CASE = '''
from qa_runner import Param, Step, StepContext, TestCase, part


class Only(Step):
    """The only one."""

    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "{times} times nothing", times=Param(3), criteria=("server_processes == 3",))
    def first(self, ctx: StepContext, times: int) -> None:
        """Nothing."""
        ctx.record("server_processes", times, note=str(ctx.parameters["path"]))


class Case(TestCase):
    """A case."""

    id = "MINE-1"
    name = "Mine"
    description = "For the tests"
    steps = (Only,)
    parameters = {"path": Param("/mine/")}
'''
TARGET = """\
default_target = "own"
output = "runs"

[targets.own]
url = "http://127.0.0.1:{port}"
bearer_token = "${{OWN_TOKEN}}"
headers = {{ "X-Api-Key" = "${{OWN_KEY}}" }}
paths = {{ "/mine/" = "/api/mine/" }}

[targets.other]
url = "http://127.0.0.1:{port}"
bearer_token = "${{NOBODY_SETS_THIS}}"

"""
CHANGED = """\
[cases.MINE-1.parameters]
1.1.times = 4
1.1.limit.server_processes = "4"
"""


@pytest.fixture
def port(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Somebody listens there, and is asked nothing."""
    mine = folder / "testcases" / "mine"
    mine.mkdir(parents=True)
    (mine / "__init__.py").write_text(CASE)
    monkeypatch.setenv("OWN_TOKEN", "marked-t0ken")
    monkeypatch.setenv("OWN_KEY", "marked-k3y")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def stored(folder: Path) -> Any:
    (path,) = folder.glob("runs/mine-1/*/run.json")
    return json.loads(path.read_text())


def test_a_run_and_its_rerun_take_the_target_and_what_the_file_changes(
    folder: Path, port: int, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "qa-runner.toml"
    file.write_text(TARGET.format(port=port) + CHANGED)
    result = cli("run", "MINE-1", "--quiet")
    assert result.exit_code == 0, result.output
    run = stored(folder)
    assert run["target"]["name"] == "own"
    assert run["target"]["url"] == f"http://127.0.0.1:{port}"
    assert run["configured"] == ["1.1.times=4", "1.1.limit.server_processes=4"]
    assert run["scope"] == "changed parameters"
    assert run["settings"]["case.path"] == "/api/mine/"
    page = next(folder.glob("runs/mine-1/*/report.html")).read_text()
    assert "document: 3; set in the configuration" in page
    assert "1.1.times=4, 1.1.limit.server_processes=4" in page

    # The file has changed since; the run has not.
    file.write_text(TARGET.format(port=port))
    assert cli("rerun", "--step", "1", "--quiet").exit_code == 0
    (step,) = stored(folder)["steps"]
    values = [attempt["parts"][0]["parameters"][0]["value"] for attempt in step["attempts"]]
    assert values == [4, 4]
    for path in (folder / "runs").rglob("*"):
        assert not path.is_file() or b"marked-" not in path.read_bytes(), path

    monkeypatch.delenv("OWN_KEY")
    assert "OWN_KEY is not set" in cli("rerun", "--step", "1").stderr
    monkeypatch.setenv("OWN_KEY", "k")
    file.write_text(TARGET.format(port=1))
    assert "start a new run" in cli("rerun", "--step", "1").stderr
