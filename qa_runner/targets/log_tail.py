"""The last lines of a log, to stand in a message."""

from __future__ import annotations

import os
from pathlib import Path

from qa_runner.redaction import redact

__all__ = ["last_lines"]

_BYTES = 1 << 16
_LINES = 5
_LINES_AFTER_CAUSE = 2
_CHARACTERS = 200
_CAUSES = 3
_CHAINED = ("During handling of the above", "The above exception was")
_TRACEBACK = "Traceback (most recent call last)"


def last_lines(path: Path, start: int = 0) -> list[str]:
    """The last five lines that are not blank of what stands in ``path`` from byte ``start`` on.

    Where tracebacks are further up, they are the lines that end these and the last two: a master
    has much to say after its worker has failed. Without secrets and control characters, cut to
    200 characters each; none if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - _BYTES))
            text = file.read(_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    lines = [line for line in text.split("\n") if line.strip()]
    causes = _causes(lines)
    if not causes or causes[0] >= len(lines) - _LINES:
        return [_shown(line) for line in lines[-_LINES:]]
    after = range(max(causes[-1] + 1, len(lines) - _LINES_AFTER_CAUSE), len(lines))
    return [_shown(lines[number]) for number in (*causes, *after)]


def _causes(lines: list[str]) -> list[int]:
    """Which lines end a traceback: the last three different ones, without those that led to them.

    Every worker says the same, and then the master fails of it.
    """
    found: dict[str, int] = {}
    inside = False
    last = ""
    for number, line in enumerate(lines):
        if line.startswith(_TRACEBACK):
            inside = True
        elif line.startswith(_CHAINED):
            found.pop(last, None)
        elif inside and not line[0].isspace():
            last, inside = line, False
            found.setdefault(line, number)
    return sorted(found.values())[-_CAUSES:]


def _shown(line: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in line)
    text = redact(" ".join(printable.split()))
    return text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 1]}…"
