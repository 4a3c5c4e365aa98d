"""Columns of samples and series: in memory as arrays, on disk as CSV that other tools read.

A table is a mapping from column name to a column of equal length: numpy float64 for numbers
(NaN where a value is absent), a list of str for text. Which columns there are is said by a
:class:`Columns`, so that an empty table still has its shape.
"""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SAMPLES", "SERIES", "Columns", "Floats", "Table", "end_of_rows"]

Floats = npt.NDArray[np.float64]
Value = float | int | str | None

_SPECIAL = re.compile('[",\r\n]')
# A header or an error of a target can be longer than the module's 131,072 characters.
csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of table, in file order."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All column names: numbers first, then texts."""
        return self.numbers + self.texts


SAMPLES = Columns(
    numbers=(
        "session",  # number of the session whose clock the times are on
        "load",  # number of the load within the session
        "iteration",  # 0-based number of the request within its load
        "user",  # 0-based virtual user
        "due",  # the times: seconds on the session's clock, NaN where not reached
        "started",
        "resolved",  # host name looked up; equals started where no look-up was needed
        "connected",
        "secured",  # TLS handshake done; equals connected over http
        "sent",
        "first_byte",
        "finished",
        "status",  # 0 without a response
        "bytes_received",
        "reused",  # 1 if the connection had served an earlier request
        "json_object",  # 1 if the body is a JSON object, 0 if not, NaN if nobody looked
    ),
    texts=(
        "part",  # "3.1"
        "role",  # "main" is judged; anything else ("follow-up", "probe", ...) stands beside it
        "tag",  # "users:10", or empty
        "key",  # what identifies the request in the target's data, e.g. its e-mail address
        "outcome",  # an Outcome
        "error",  # a short cause when there was no success
        "extracted",  # JSON object of what was extracted from the response
        "excerpt",  # start of the body when there was no success, redacted
    ),
)

SERIES: Mapping[str, Columns] = {
    "server": Columns(
        numbers=(
            "session",
            "time",
            "processes",
            "workers",
            "rss_bytes",
            "cpu_percent",  # of the tree over its workers; 100 = one core each
            "threads",
            "open_files",
            "database_handles",  # open descriptors of the SQLite file; NaN if unknown
            "restarts",  # since the start of the session, cumulative
        ),
        texts=("pids",),
    ),
    "system": Columns(
        numbers=(
            "session",
            "time",
            "cpu_percent",  # of all cores, 100 = all busy
            "load_1_minute",
            "memory_used_bytes",
            "disk_read_bytes",
            "disk_written_bytes",
        )
    ),
    "database": Columns(
        numbers=(
            "session",
            "time",  # start of the read
            "read_end",
            "transactions_added",  # since the start of the session
            "users_added",
            "balances_added",
            "query_seconds",  # the fixed, indexed query
            "connections",  # open connections, where the database counts them; else NaN
            "probe_seconds",  # what the whole read cost
        ),
        texts=("error",),
    ),
    "generator": Columns(
        numbers=("session", "time", "cpu_percent", "loop_lag_seconds", "in_flight")
    ),
    "log": Columns(
        numbers=("session", "time"),
        texts=("level", "kind", "text"),  # kind: lock, deadlock, timeout, server-error, other
    ),
}


class Table:
    """Columns of equal length. Immutable by convention; the operations return new tables."""

    def __init__(self, columns: Columns, data: Mapping[str, Any] | None = None) -> None:
        """Take ``data`` (column name to values); columns that are missing are filled as absent.

        Raises ValueError if the columns differ in length.
        """
        self.columns = columns
        given = dict(data or {})
        lengths = {len(values) for values in given.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")
        self._length = lengths.pop() if lengths else 0
        self._numbers: dict[str, Floats] = {
            name: np.asarray(given[name], dtype=np.float64)
            if name in given
            else np.full(self._length, np.nan)
            for name in columns.numbers
        }
        self._texts: dict[str, list[str]] = {
            name: [str(value) for value in given[name]] if name in given else [""] * self._length
            for name in columns.texts
        }

    @classmethod
    def from_rows(cls, columns: Columns, rows: Iterable[Mapping[str, Value]]) -> Table:
        """A table of mappings; a missing or None number becomes NaN, a missing text empty."""
        listed = list(rows)
        data: dict[str, list[Any]] = {}
        for name in columns.numbers:
            data[name] = [math.nan if row.get(name) is None else row[name] for row in listed]
        for name in columns.texts:
            data[name] = [row.get(name) or "" for row in listed]
        return cls(columns, data)

    @classmethod
    def concatenate(cls, columns: Columns, tables: Sequence[Table]) -> Table:
        """One table after the other."""
        if not tables:
            return cls(columns)
        data: dict[str, Any] = {
            name: np.concatenate([table.number(name) for table in tables])
            for name in columns.numbers
        }
        for name in columns.texts:
            data[name] = [value for table in tables for value in table.text(name)]
        return cls(columns, data)

    def __len__(self) -> int:
        return self._length

    def number(self, name: str) -> Floats:
        """A column of numbers, shape (rows,)."""
        return self._numbers[name]

    def text(self, name: str) -> list[str]:
        """A column of text."""
        return self._texts[name]

    def where(self, mask: npt.NDArray[np.bool_]) -> Table:
        """The rows in which ``mask``, shape (rows,), is true."""
        picked = np.flatnonzero(mask)
        data: dict[str, Any] = {name: values[picked] for name, values in self._numbers.items()}
        for name, texts in self._texts.items():
            data[name] = [texts[index] for index in picked]
        return Table(self.columns, data)

    def text_equals(self, name: str, value: str) -> npt.NDArray[np.bool_]:
        """Mask, shape (rows,), of the rows whose text column has this value."""
        return np.fromiter((text == value for text in self._texts[name]), bool, self._length)

    def between(self, start: float, end: float, column: str = "time") -> Table:
        """The rows with ``start <= column <= end``, in seconds."""
        values = self._numbers[column]
        return self.where((values >= start) & (values <= end))

    def to_csv(self, *, header: bool = True) -> str:
        """CSV text. Numbers are written so that they read back exactly; NaN as an empty field."""
        lines = [",".join(self.columns.names)] if header else []
        numbers = [self._numbers[name].tolist() for name in self.columns.numbers]
        texts = [self._texts[name] for name in self.columns.texts]
        lines += [",".join(map(_cell, row)) for row in zip(*numbers, *texts, strict=True)]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_csv(cls, columns: Columns, text: str) -> Table:
        """Read what :meth:`to_csv` wrote; a last line that was cut off is left out.

        Raises ValueError if the header does not have these columns, or a row not as many.
        """
        # A writer that was killed leaves an incomplete last line, if only that of the header.
        text = text[: end_of_rows(text)]
        if not text:
            return cls(columns)
        reader = csv.reader(io.StringIO(text, newline=""))
        header = tuple(next(reader, ()))
        if header != columns.names:
            raise ValueError(f"expected the columns {','.join(columns.names)}")
        width = len(header)
        rows = list(reader)
        for number, row in enumerate(rows, 1):
            if len(row) != width:
                raise ValueError(f"row {number} has {len(row)} of {width} fields")
        turned: list[Any] = [list(values) for values in zip(*rows, strict=True)] or [
            [] for _ in header
        ]
        data = dict(zip(header, turned, strict=True))
        for name in columns.numbers:
            data[name] = [float(value) if value else math.nan for value in data[name]]
        return cls(columns, data)


def end_of_rows(text: str) -> int:
    """Where the last whole row of CSV text ends: behind a newline that is in no quoted field."""
    end = text.rfind("\n")
    quotes = text.count('"', 0, max(end, 0))
    while end >= 0 and quotes % 2:
        before = text.rfind("\n", 0, end)
        quotes -= text.count('"', max(before, 0), end)
        end = before
    return end + 1


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        # The csv module of Python 3.11 would leave a carriage return bare.
        return '"' + value.replace('"', '""') + '"' if _SPECIAL.search(value) else value
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
