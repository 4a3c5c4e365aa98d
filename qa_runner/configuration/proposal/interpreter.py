"""The interpreter of a project: that of its virtual environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from qa_runner.configuration.proposal.finding import Finding

__all__ = ["find_interpreter", "python_of"]

_FOLDERS = (".venv", "venv", "env", ".env", "virtualenv")
_NAME = "interpreter"


def find_interpreter(project: Path, environment: Mapping[str, str]) -> Finding:
    """The interpreter in a virtual environment of ``project`` or of the folder that it is in.

    That is also where Poetry (``virtualenvs.in-project``) and uv put theirs; else the one that is
    active in this shell, unless it is qa-runner's own.
    """
    own = environment.get("UV_PROJECT_ENVIRONMENT")
    for folder in (project, project.parent):
        for name in (*([own] if own else []), *_FOLDERS):
            python = python_of(folder / name)
            if python is not None:
                return Finding(_NAME, str(python), "found")
    active = environment.get("VIRTUAL_ENV")
    python = python_of(Path(active)) if active else None
    # Links are followed: what is compared is the folder that Python itself says it runs in.
    if python is None or python.parent.parent.resolve() == Path(sys.prefix).resolve():
        return Finding(
            _NAME, "", "missing", "no virtual environment found; --interpreter says which"
        )
    return Finding(_NAME, str(python), "guessed", "the virtual environment active in this shell")


def python_of(folder: Path) -> Path | None:
    """The interpreter of the virtual environment in ``folder``, if it is one."""
    for path in (folder / "bin" / "python", folder / "bin" / "python3"):
        if os.path.lexists(folder / "pyvenv.cfg") and os.access(path, os.X_OK):
            return path
    return None
