"""The commit of a project's folder, or nothing."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from qa_runner.targets import commit
from qa_runner.targets.commit import commit_of


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    command = ["git", *own, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a work tree with one commit."""
    # What surrounds the tests is none of their repositories.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "work" / "shop"
    folder.mkdir(parents=True)
    (folder / "manage.py").write_text("1")
    git(tmp_path / "work", "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    return folder


def test_it_is_the_commit_and_whether_it_was_changed_since(project: Path) -> None:
    found = commit_of(project)
    assert re.fullmatch(r"[0-9a-f]{12}", found)
    assert git(project, "rev-parse", "HEAD").startswith(found)
    (project / "notes.txt").write_text("not of the repository")
    assert commit_of(project) == found
    (project / "manage.py").write_text("2")
    assert commit_of(project) == f"{found}-dirty"


def test_variables_of_a_hook_lead_nowhere_else(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = commit_of(project)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert commit_of(project) == found


def test_a_folder_that_the_repository_does_not_know_has_none(project: Path) -> None:
    (project / "venv").mkdir()
    assert commit_of(project / "venv") == ""


def test_without_a_commit_a_work_tree_or_a_folder_there_is_none(tmp_path: Path) -> None:
    assert commit_of(tmp_path / "nowhere") == ""
    assert commit_of(tmp_path) == ""
    git(tmp_path, "init", "--quiet")
    assert commit_of(tmp_path) == ""


def test_without_git_there_is_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert commit_of(project) == ""


def test_a_git_that_hangs_is_not_awaited(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "bin" / "git"
    hanging.parent.mkdir()
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{hanging.parent}:/usr/bin:/bin")
    monkeypatch.setattr(commit, "_SECONDS", 0.2)
    began = time.monotonic()
    assert commit_of(project) == ""
    assert time.monotonic() - began < 30
