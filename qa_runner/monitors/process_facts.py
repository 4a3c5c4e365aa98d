"""Facts about single processes, for the snapshot at the start of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import psutil

from qa_runner.redaction import is_secret_name, redact

__all__ = ["ProcessFacts", "facts_of", "largest_python"]

_COMMAND_CHARACTERS = 160
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """A process as it was at one moment; None for what the system refused to say.

    ``role`` is "server" for a process of the server's tree, else "python". ``command`` is
    shortened and without secrets, ``started`` ISO 8601 in local time, ``open_files`` the number
    of open descriptors.
    """

    role: str
    pid: int
    command: str
    started: str
    rss_bytes: int | None
    threads: int | None
    open_files: int | None


def facts_of(process: psutil.Process, role: str) -> ProcessFacts | None:
    """The facts of a process; None if it ended meanwhile."""
    try:
        with process.oneshot():
            created = datetime.fromtimestamp(process.create_time(), UTC).astimezone()
            return ProcessFacts(
                role=role,
                pid=process.pid,
                command=command_line(_permitted(process.cmdline) or [process.name()]),
                started=created.isoformat(" ", "seconds"),
                rss_bytes=_permitted(lambda: int(process.memory_info().rss)),
                threads=_permitted(process.num_threads),
                open_files=_permitted(process.num_fds),
            )
    except psutil.Error:
        return None


def largest_python(count: int) -> list[ProcessFacts]:
    """The Python processes of this machine with the most resident memory, largest first."""
    found: list[tuple[int, psutil.Process]] = []
    for process in psutil.process_iter():
        try:
            if "python" in process.name().lower():
                found.append((process.memory_info().rss, process))
        except psutil.Error:
            continue
    found.sort(key=lambda pair: pair[0], reverse=True)
    listed = [facts_of(process, "python") for _, process in found[:count]]
    return [facts for facts in listed if facts is not None]


def command_line(arguments: list[str]) -> str:
    """A command line in one line, without secrets, shortened in the middle."""
    shown: list[str] = []
    hide = False
    for argument in arguments:
        shown.append("[redacted]" if hide else argument)
        # "--password hunter2": the secret is an argument of its own.
        hide = argument.startswith("-") and "=" not in argument and is_secret_name(argument)
    text = redact(" ".join(" ".join(shown).split()))
    if len(text) <= _COMMAND_CHARACTERS:
        return text
    half = _COMMAND_CHARACTERS // 2 - 2
    return f"{text[:half]} … {text[-half:]}"


def _permitted(read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except psutil.AccessDenied:
        return None
