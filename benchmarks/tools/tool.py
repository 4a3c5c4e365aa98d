"""What the comparison asks of a tool."""

from __future__ import annotations

import shutil
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BenchmarkError, Job, Reading

__all__ = ["Absent", "Tool", "first_line", "positive"]

_ASK_SECONDS = 60


class Absent(BenchmarkError):
    """The tool is not there; the message says why, and how to get it."""


class Tool(ABC):
    """One load generator, or one way of using it.

    ``cache`` is the folder into which ``install`` put what it could.
    """

    name: ClassVar[str]
    body: ClassVar[str] = "unique"
    """Whether each request has a body of its own: "unique" or "fixed"."""
    model: ClassVar[str] = "closed"
    """What happens to a rate while the server is silent: "open", or "closed" and it waits too."""
    paced: ClassVar[bool] = False
    """Whether it can send at a given rate."""
    counted: ClassVar[bool] = True
    """Whether it can send a given number of requests."""
    both_cores: ClassVar[bool] = False
    """Whether it assigns the cores itself, instead of being bound to the tools' core."""
    note: ClassVar[str] = ""

    @abstractmethod
    def version(self, cache: Path) -> str:
        """Its version; raises Absent."""

    @abstractmethod
    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """What to run, in ``folder``, into which it may write files first."""

    @abstractmethod
    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """What the tool said of a load.

        Raises BenchmarkError, ValueError, KeyError or OSError if that can't be read.
        """


def first_line(command: list[str], marker: str) -> str:
    """The first line with ``marker`` that a program says of itself; raises Absent."""
    if shutil.which(command[0]) is None:
        raise Absent(f"{command[0]} is not installed")
    try:
        done = subprocess.run(  # noqa: S603 (tools named in this package)
            command, capture_output=True, text=True, check=False, timeout=_ASK_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"{command[0]} does not run: {error}") from None
    for line in (done.stdout + done.stderr).splitlines():
        if marker in line:
            return line.strip()
    raise Absent(f"{command[0]} does not tell its version")


def positive(seconds: float) -> float | None:
    """Tools print 0 for a percentile that they do not have."""
    return seconds if seconds > 0 else None
