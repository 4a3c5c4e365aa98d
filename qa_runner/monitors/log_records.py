"""Puts the lines of a log together to records: a traceback belongs to the line above it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa_runner.monitors.log_kinds import OTHER, SERVER_ERROR, classify, kind_of_text, level_of

__all__ = ["Record", "RecordReader"]

_DATED = re.compile(r"\W{0,2}(?:\d{4}-\d\d-\d\d|\d\d/\w{3}/\d{4}|\w{3} [ \d]\d \d\d:\d\d:\d\d)")
_TRACEBACK = "Traceback (most recent call last)"
_CHAINED = ("During handling of the above", "The above exception was")


@dataclass(slots=True)
class Record:
    """A record that matters: when its first line was seen, its level, kind and text.

    ``cause`` is the line that says what happened, where that is not the first one.
    """

    time: float
    level: str
    kind: str
    text: str
    cause: str = ""


class RecordReader:
    """Takes lines one by one and hands out the records that matter once they are complete."""

    def __init__(self) -> None:
        self._record: Record | None = None
        self._in_traceback = False
        # A record has one traceback, or several that the interpreter says are chained.
        self._expects_traceback = False

    def feed(self, line: str, time: float) -> Record | None:
        """Take a line; the record before it, if the line ends that one."""
        if self._record is not None and self._continues(line):
            self._absorb(self._record, line)
            return None
        finished = self.finish()
        found = classify(line)
        if found is not None:
            self._record = Record(time, found[0], found[1], line)
            self._in_traceback = line.startswith(_TRACEBACK)
            self._expects_traceback = not self._in_traceback
        return finished

    def finish(self) -> Record | None:
        """Hand out the record so far, if there is one."""
        record, self._record = self._record, None
        return record

    def _continues(self, line: str) -> bool:
        if line.startswith(_TRACEBACK):
            return self._expects_traceback
        if not line or line[0].isspace() or line.startswith(_CHAINED):
            return True
        if line.startswith("Internal Server Error") or level_of(line) or _DATED.match(line):
            return False
        # A bare line of a known kind speaks for itself, unless it ends a traceback.
        return self._in_traceback or kind_of_text(line) == ""

    def _absorb(self, record: Record, line: str) -> None:
        if line.startswith((_TRACEBACK, *_CHAINED)):
            self._in_traceback = line.startswith(_TRACEBACK)
            self._expects_traceback = not self._in_traceback
            return
        ends = self._in_traceback and line != "" and not line[0].isspace()
        if ends:
            self._in_traceback = False
        if record.kind not in {SERVER_ERROR, OTHER}:
            return
        kind = kind_of_text(line)
        if kind and kind != SERVER_ERROR:
            record.kind, record.cause = kind, line
        elif ends:
            record.cause = line
