"""Samples on disk: a NumPy array of records that grows while the run goes on, its texts beside it.

::

    step-3-attempt-1.npy     one record for each request, about 145 bytes; ``numpy.load`` reads it
    step-3-attempt-1.jsonl   the texts, as JSON, one in a line

A text column holds the number of a line, from 0. A line that holds a list is a pattern: what the
record's ``iteration`` plus one stands between. Whole numbers that are absent are the least value
of their type. Texts are written before the records that refer to them, and the count in the
array's header last, so a kill at any moment leaves a file whose whole records are good.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from qa_runner.block import floats
from qa_runner.columns import SAMPLES, Columns
from qa_runner.table import Table
from qa_runner.text_column import Pattern, TextColumn, narrow

__all__ = ["ENDING", "TEXTS_ENDING", "SampleWriter", "read_samples"]

ENDING = ".npy"
TEXTS_ENDING = ".jsonl"

_MAGIC = b"\x93NUMPY\x01\x00"
# Of a fixed size, so that the count in it can be replaced.
_HEADER_BYTES = 1024
_CODE = "<u4"
_ROWS_AT_ONCE = 65_536


class SampleWriter:
    """Appends to a file of samples; goes on behind the last whole record of one that is there."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if it cannot be written, ValueError if what is there is something else."""
        self._path = path
        self._texts_path = path.with_suffix(TEXTS_ENDING)
        self._index: dict[str | Pattern, int] = {}
        self._lines = 0
        self._rows = 0
        self._type = _record_type(SAMPLES)
        if path.exists() and path.stat().st_size >= _HEADER_BYTES:
            self._go_on()
        else:
            path.write_bytes(_header(self._type, 0))
            self._texts_path.write_bytes(b"")

    def _go_on(self) -> None:
        with self._path.open("r+b") as file:
            found, self._rows = _open(file)
            if found != self._type:
                raise ValueError("it was written by another version of qa-runner")
            file.truncate(_HEADER_BYTES + self._rows * found.itemsize)
        texts, end = _read_texts(self._texts_path)
        os.truncate(self._texts_path, end)
        self._index = {value: place for place, value in enumerate(texts)}
        self._lines = len(texts)

    def append(self, table: Table) -> None:
        """Add rows; they are on disk when this returns. Raises OSError."""
        # In pieces: the records of a million rows at once would be twice in memory.
        for piece in table.pieces():
            for numbers, texts in piece.kept():
                self._append(numbers, texts)

    def _append(self, numbers: dict[str, npt.NDArray[Any]], texts: dict[str, TextColumn]) -> None:
        new: list[str | Pattern] = []
        records = np.empty(len(texts["outcome"]), self._type)
        for name, values in numbers.items():
            records[name] = values
        for name, column in texts.items():
            records[name] = self._codes(column, new)
        if new:
            with self._texts_path.open("ab") as file:
                file.write("".join(f"{json.dumps(value)}\n" for value in new).encode("ascii"))
        with self._path.open("r+b") as file:
            file.seek(_HEADER_BYTES + self._rows * self._type.itemsize)
            file.write(records.tobytes())
            self._rows += records.size
            file.seek(0)
            file.write(_header(self._type, self._rows))

    def _codes(self, column: TextColumn, new: list[str | Pattern]) -> npt.NDArray[np.uint32]:
        used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.values)))
        mapping = np.zeros(len(column.values), dtype=np.uint32)
        for place in used.tolist():
            value = column.values[place]
            code = self._index.get(value)
            if code is None:
                code = self._index[value] = self._lines
                self._lines += 1
                new.append(value)
            mapping[place] = code
        return mapping[column.codes]


def read_samples(path: Path) -> Table:
    """The whole records of a file.

    Raises OSError if it cannot be read, ValueError if it is damaged.
    """
    with path.open("rb") as file:
        begun = file.read(_HEADER_BYTES)
        if len(begun) < _HEADER_BYTES and _MAGIC.startswith(begun[: len(_MAGIC)]):
            # The disk was full, or the run was killed, before there was a record.
            return Table(SAMPLES)
        found, rows = _open(file)
        texts, _ = _read_texts(path.with_suffix(TEXTS_ENDING))
        columns: dict[str, npt.NDArray[Any]] = {
            name: np.empty(rows, found[name])
            for name in SAMPLES.names
            if name in (found.names or ())
        }
        # Column by column, and in stretches: the records as a whole would be a second copy.
        for start, records in _stretches(file, found, rows):
            for name, values in columns.items():
                values[start : start + records.size] = records[name]
    data: dict[str, Any] = {}
    for name in list(columns):
        values = columns.pop(name)
        if name in SAMPLES.later and not _present(values):
            continue  # takes no memory then
        data[name] = _column(values, texts) if name in SAMPLES.texts else _numbers(name, values)
    return Table(SAMPLES, data)


def _stretches(
    file: IO[bytes], kind: np.dtype[Any], rows: int
) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    for start in range(0, rows, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, rows - start)
        records = np.frombuffer(file.read(count * kind.itemsize), kind)
        if records.size != count:
            raise ValueError("it became shorter while it was read")
        yield start, records


def _column(codes: npt.NDArray[Any], texts: list[str | Pattern]) -> TextColumn:
    """The column with those of the texts that it uses."""
    used = np.zeros(len(texts), bool)
    if codes.size:
        if int(codes.max()) >= len(texts):
            raise ValueError(f"it refers to text {codes.max()} of {len(texts)}")
        used[codes] = True
    kept = np.flatnonzero(used)
    places = narrow((np.cumsum(used) - used).astype(np.uint32), kept.size)
    values = [texts[place] for place in kept.tolist()]
    return TextColumn(places[codes], values, any(isinstance(value, tuple) for value in values))


def _present(values: npt.NDArray[Any]) -> bool:
    """Whether any row has a number."""
    if values.dtype.kind == "f":
        return not np.isnan(values).all()
    return bool((values != np.iinfo(values.dtype).min).any())


def _numbers(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    kind = np.dtype(SAMPLES.whole.get(name, "f8"))
    return values if values.dtype == kind else floats(values)


# ---------------------------------------------------------------- the format


def _record_type(columns: Columns) -> np.dtype[Any]:
    numbers = [(name, "<" + columns.whole.get(name, "f8")) for name in columns.numbers]
    return np.dtype([*numbers, *((name, _CODE) for name in columns.texts)])


def _header(kind: np.dtype[Any], rows: int) -> bytes:
    words = f"{{'descr': {kind.descr!r}, 'fortran_order': False, 'shape': ({rows},), }}"
    length = _HEADER_BYTES - len(_MAGIC) - 2
    # As numpy.lib.format lays it down for version 1.0: padded with spaces, a newline at the end.
    return _MAGIC + length.to_bytes(2, "little") + words.encode("ascii").ljust(length - 1) + b"\n"


def _open(file: IO[bytes]) -> tuple[np.dtype[Any], int]:
    """The type of the records, and how many whole ones there are; reading goes on at the first."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(_HEADER_BYTES)
    words = head[len(_MAGIC) + 2 :].decode("ascii", "replace")
    length = int.from_bytes(head[len(_MAGIC) : len(_MAGIC) + 2], "little")
    if not head.startswith(_MAGIC) or length != len(words):
        raise ValueError("it does not begin as a file of samples does")
    try:
        kind = np.dtype(ast.literal_eval(words.strip())["descr"])
    except Exception:  # noqa: BLE001 (anything may stand in a damaged file)
        raise ValueError("its header makes no sense") from None
    for name in kind.names or ():
        wanted = "u" if name in SAMPLES.texts else "fi"
        if name in SAMPLES.names and kind[name].kind not in wanted:
            raise ValueError(f"its column {name} is of another kind")
    if kind.names is None or kind.hasobject or "outcome" not in kind.names:
        raise ValueError("it has other columns")
    return kind, (size - _HEADER_BYTES) // kind.itemsize


def _read_texts(path: Path) -> tuple[list[str | Pattern], int]:
    """The texts of whole lines, and where the last one ends."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    end = data.rfind(b"\n") + 1
    try:
        found = json.loads(b"[" + data[:end].rstrip(b"\n").replace(b"\n", b",") + b"]")
        texts = [value if isinstance(value, str) else _pattern(value) for value in found]
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    return texts, end


def _pattern(value: Any) -> Pattern:
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        return tuple(value)
    raise ValueError("a line is neither a text nor a pattern")
