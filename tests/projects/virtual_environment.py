"""A virtual environment for the projects of the tests, made once on a machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["NotInstalled", "environment_for"]

_INSTALL_SECONDS = 300


class NotInstalled(Exception):
    """Why the requirements could not be had, in one line."""


def environment_for(requirements: Path) -> Path:
    """The folder of a virtual environment that holds the requirements, installed if need be.

    It is kept in ``~/.cache/qa-runner-tests``, by what it holds and by interpreter. Raises
    NotInstalled.
    """
    kind = f"{requirements.read_text('utf-8')}\n{sys.executable} {platform.python_version()}"
    name = f"{requirements.parent.name}-{hashlib.sha256(kind.encode()).hexdigest()[:12]}"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qa-runner-tests"
    base.mkdir(parents=True, exist_ok=True)
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        # Two runs of the tests at the same time must not install into the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = folder / "complete"
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)])
            python = str(folder / "bin" / "python")
            _run([python, "-m", "pip", "install", "-q", "--no-input", "-r", str(requirements)])
            complete.touch()
    return folder


def _run(command: list[str]) -> None:
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise NotInstalled(lines[-1] if lines else str(error)) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from None
