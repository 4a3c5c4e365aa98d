"""Follows the server's log from where it ends when the run starts."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import BinaryIO

from qa_runner.clock import Clock
from qa_runner.monitors.log_records import Record, RecordReader
from qa_runner.monitors.monitor import Monitor, Row, Sink
from qa_runner.redaction import redact

__all__ = ["LogMonitor"]

_CHUNK_BYTES = 1 << 16
_BYTES_PER_SAMPLE = 1 << 23
_LINE_BYTES = 1 << 14
_TEXT_CHARACTERS = 400
_ROWS = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class LogMonitor(Monitor):
    """The series "log": one row for each record that is a warning, an error or of a known kind.

    A record is a line with the traceback below it; its kind is the most specific one that any
    of its lines shows, so a server error caused by a lock has the level ERROR and the kind lock.
    The time is that at which the line was seen, at most one interval after it was written.

    Secrets are taken out, and e-mail addresses that do not contain ``tag``. At most 20 000 rows
    are kept; ``totals`` counts all records by kind.
    """

    name = "log"
    interval_seconds = 0.25

    def __init__(self, path: Path, *, tag: str = "") -> None:
        super().__init__()
        self.path = path
        self.totals: Counter[str] = Counter()
        self._tag = tag
        self._file: BinaryIO | None = None
        self._reset()

    def _reset(self) -> None:
        self._close()
        self.totals = Counter()
        self._records = RecordReader()
        self._partial = b""
        self._skipping = False
        self._kept = 0
        self._finishing = False

    def start(self, clock: Clock, session: int, sink: Sink) -> None:
        """Begin at the end of the file, or at the beginning of one that appears later."""
        with self._measuring:
            self._reset()
            self.reason = ""
            self._open()
            if self._file is not None:
                self._file.seek(0, os.SEEK_END)
        super().start(clock, session, sink)

    def sample_now(self) -> None:
        """Read what is there and close the last record, so that it is within the window."""
        with self._measuring:
            self._finishing = True
            super().sample_now()
            self._finishing = False

    def stop(self) -> None:
        """Read what is there and stop."""
        running = self._thread is not None
        super().stop()
        if running:
            self.sample_now()
        with self._measuring:
            self._close()

    def measure(self) -> list[Row]:
        """The rows of the records that have ended."""
        now = self.clock.now()
        found: list[Record] = []
        read = self._read(now, found)
        # Nothing new for an interval: the last record is complete.
        if self._finishing or read == 0:
            last = self._records.finish()
            if last is not None:
                found.append(last)
        rows: list[Row] = []
        for record in found:
            self.totals[record.kind] += 1
            if self._kept < _ROWS:
                self._kept += 1
                rows.append(self._row(record))
            else:
                self.note(f"the log has more than {_ROWS} warnings and errors; the rest is counted")
        return rows

    def _row(self, record: Record) -> Row:
        text = self._clean(record.text)
        if record.cause:
            text = f"{text} … {self._clean(record.cause)}"
        return {"time": record.time, "level": record.level, "kind": record.kind, "text": text}

    def _clean(self, line: str) -> str:
        # Cut after redacting: half of a secret is still one.
        text = redact(_CONTROL.sub("�", line[: 4 * _TEXT_CHARACTERS]), keep=self._tag)
        return text if len(text) <= _TEXT_CHARACTERS else f"{text[: _TEXT_CHARACTERS - 1]}…"

    def _read(self, now: float, found: list[Record]) -> int:
        """Feed what was written since; the number of bytes."""
        read = 0
        while read < _BYTES_PER_SAMPLE:
            data = self._next_bytes()
            if not data:
                return read
            read += len(data)
            if b"\0" in data:
                self.note(
                    f"the server log {self.path} is not all text: what is binary in it tells "
                    "nothing; give the file that the server writes lines to"
                )
            self._feed(data, now, found)
        self.note("the log grows faster than it can be read; rows come late")
        return read

    def _next_bytes(self) -> bytes:
        """The next bytes, of this file or of the one that took its place."""
        if self._file is None:
            self._open()
        if self._file is None:
            return b""
        there = os.fstat(self._file.fileno())
        if there.st_size < self._file.tell():
            self.note("the log was truncated while the run went on")
            self._partial, self._skipping = b"", False
            self._file.seek(0)
        data = self._file.read(_CHUNK_BYTES)
        if data:
            return data
        try:
            current = self.path.stat()
        except OSError:
            return b""  # moved away; what comes in its place is opened once it is there
        if (current.st_ino, current.st_dev) == (there.st_ino, there.st_dev):
            return b""
        self.note("the log was rotated while the run went on")
        self._close()
        self._partial, self._skipping = b"", False
        self._open()
        return self._file.read(_CHUNK_BYTES) if self._file is not None else b""

    def _feed(self, data: bytes, now: float, found: list[Record]) -> None:
        *lines, rest = (self._partial + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
                continue
            self._line(line, now, found)
        self._partial = b"" if self._skipping else rest
        if len(self._partial) > _LINE_BYTES:
            # The head of a huge line says enough; the rest, up to its end, is passed over.
            self._line(self._partial, now, found)
            self._partial, self._skipping = b"", True

    def _line(self, line: bytes, now: float, found: list[Record]) -> None:
        text = line[:_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
        record = self._records.feed(text, now)
        if record is not None:
            found.append(record)

    def _open(self) -> None:
        try:
            # A pipe or a terminal cannot be followed, and opening a pipe would wait for a writer.
            if not stat.S_ISREG(self.path.stat().st_mode):
                self.reason = f"the server log {self.path} is not a file"
                return
            self._file = self.path.open("rb")
        except FileNotFoundError:
            self.reason = f"the server log {self.path} does not exist; check the path"
        except OSError as error:
            self.reason = f"cannot read the server log {self.path}: {error.strerror or error}"
        else:
            self.reason = ""

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
