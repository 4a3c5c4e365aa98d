"""Which commit of a project is in a folder of this machine."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

__all__ = ["commit_of"]

_SECONDS = 3.0
"""A work tree on a slow disk must not hold up a run."""


def commit_of(folder: Path) -> str:
    """Twelve digits of the commit, with "-dirty" behind if tracked files were changed since.

    Empty if the folder is not of a git work tree, or if git does not tell in time.
    """
    deadline = time.monotonic() + _SECONDS
    try:
        # A folder that a repository around it does not know is not of its commit.
        _git(folder, deadline, "cat-file", "-e", "HEAD:./")
        commit = _git(folder, deadline, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, deadline, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit + ("-dirty" if changed else "")


def _git(folder: Path, deadline: float, *arguments: str) -> str:
    # A hook of git names its own repository in variables; its locks are left to others.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    done = subprocess.run(  # noqa: S603 (our own arguments)
        ["git", "-C", str(folder), *arguments],  # noqa: S607 (wherever git is)
        env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=max(deadline - time.monotonic(), 0.0),
        check=True,
    )
    return done.stdout.decode("utf-8", "replace").strip()
