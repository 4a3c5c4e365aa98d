"""The command as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner, Result

from qa_runner.cli import main

COMMAND = (sys.executable, "-m", "qa_runner")


def invoke(*arguments: str, **environment: str) -> Result:
    """``qa-runner load`` in this process."""
    return CliRunner().invoke(
        main, ["load", *arguments], prog_name="qa-runner", env={**_CLEAN, **environment}
    )


def summary(*arguments: str, **environment: str) -> dict[str, Any]:
    """The JSON of a load."""
    done = invoke(*arguments, "--format", "json", **environment)
    assert done.stdout, done.output
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """``qa-runner load`` as a process of its own, which Ctrl-C of the tests does not reach."""
    return subprocess.Popen(
        [*COMMAND, "load", *arguments],
        cwd=folder,
        env={**os.environ, **_CLEAN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


_CLEAN = {"QA_RUNNER_AUTH_TOKEN": "", "NO_COLOR": ""}
