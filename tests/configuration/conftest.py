"""A folder with a qa-runner.toml, and the command in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from configuration_bench import Cli

from qa_runner.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a test, with a project, an interpreter and a place for logs."""
    monkeypatch.chdir(tmp_path)
    for name in ("shop", "logs", "venv/bin"):
        (tmp_path / name).mkdir(parents=True)
    python = tmp_path / "venv" / "bin" / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    return tmp_path


@pytest.fixture
def cli() -> Cli:
    return lambda *arguments: CliRunner().invoke(main, list(arguments), prog_name="qa-runner")
