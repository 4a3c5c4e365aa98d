"""Columns of samples and series, compact enough for millions of rows.

A table is a mapping from column name to a column of equal length: numbers (NaN where a value is
absent) and texts. What callers get are float64 arrays and lists of str. What is kept is smaller:
whole numbers in a type of their size, and of texts each distinct one once (text_column.py). A
sample without texts of its own takes about 100 bytes. Putting tables together and picking rows
copies no columns: a table is a sequence of blocks, each perhaps with a choice of its rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qa_runner.block import Block, Mask, Rows, absent, floats, merged, whole
from qa_runner.columns import SAMPLES, SERIES, Columns
from qa_runner.csv_text import line, parse
from qa_runner.text_column import TextColumn

__all__ = ["SAMPLES", "SERIES", "Columns", "Floats", "Mask", "Table"]

Floats = npt.NDArray[np.float64]
Value = float | int | str | None

_ROWS_AT_ONCE = 10_000


class Table:
    """Columns of equal length. Immutable by convention; the operations return new tables."""

    def __init__(self, columns: Columns, data: Mapping[str, Any] | None = None) -> None:
        """Take ``data``; columns that are missing are filled as absent.

        It maps a column's name to its values: numbers as anything that NumPy makes an array of,
        texts as one text for each row or as a TextColumn. Raises ValueError if the columns differ
        in length, or if a number that should be whole is not or is too large.
        """
        given = dict(data or {})
        lengths = {len(values) for values in given.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")
        size = lengths.pop() if lengths else 0
        numbers = {}
        for name in columns.numbers:
            kind = columns.whole.get(name)
            if name not in given:
                numbers[name] = absent(kind)
                continue
            values = given[name]
            numbers[name] = np.ascontiguousarray(
                whole(name, values, np.dtype(kind)) if kind else values,
                dtype=None if kind else np.float64,
            )
        texts = {}
        for name in columns.texts:
            held = given.get(name)
            if not isinstance(held, TextColumn):
                held = TextColumn.same("", size) if held is None else TextColumn.of(held)
            texts[name] = held
        self.columns = columns
        self._blocks: tuple[Block, ...] = (Block(size, numbers, texts),) if size else ()
        self._length = size

    @classmethod
    def _made(cls, columns: Columns, blocks: Iterable[Block]) -> Table:
        table = cls(columns)
        table._blocks = tuple(block for block in blocks if block.size)
        table._length = sum(block.size for block in table._blocks)
        return table

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
        blocks = [block for table in tables for block in table._blocks]  # noqa: SLF001 (of this class)
        return cls._made(columns, merged(blocks))

    def __len__(self) -> int:
        return self._length

    # ---------------------------------------------------------------- columns

    def number(self, name: str) -> Floats:
        """A column of numbers, shape (rows,); not to be changed in place."""
        found = [floats(block.kept(name)) for block in self._blocks]
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.empty(0)

    def text(self, name: str) -> list[str]:
        """A column of text, as a list: for few rows; else see :meth:`counts` and the like."""
        return [text for block in self._blocks for text in self._listed(block, name)]

    def coded(self, name: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """A column of text as codes, shape (rows,), and the texts that they are places in."""
        index: dict[str, int] = {}
        found = []
        for block in self._blocks:
            column = block.text(name)
            if column.numbered:
                texts = self._listed(block, name)
                found.append(np.array([index.setdefault(t, len(index)) for t in texts], np.intp))
            else:
                places = [index.setdefault(str(value), len(index)) for value in column.values]
                found.append(np.array(places, dtype=np.intp)[column.codes])
        return np.concatenate(found) if found else np.empty(0, np.intp), list(index)

    def counts(self, name: str) -> Counter[str]:
        """How often each text of a column stands there, in the order of their first rows."""
        codes, values = self.coded(name)
        if not codes.size:
            return Counter()
        many = np.bincount(codes, minlength=len(values))
        first = np.full(len(values), codes.size)
        np.minimum.at(first, codes, np.arange(codes.size))
        order = [place for place in np.argsort(first, kind="stable").tolist() if many[place]]
        return Counter({values[place]: int(many[place]) for place in order})

    def distinct(self, name: str) -> list[str]:
        """The texts of a column, each once, in the order of their first rows."""
        return list(self.counts(name))

    def _listed(self, block: Block, name: str) -> list[str]:
        by = self.columns.numbered_by
        return block.text(name).listed(lambda: block.kept(by).astype(np.int64) + 1)

    # ---------------------------------------------------------------- rows

    def where(self, mask: Mask) -> Table:
        """The rows in which ``mask``, shape (rows,), is true."""
        if mask.all():
            return self
        blocks, start = [], 0
        for block in self._blocks:
            mine = mask[start : start + block.size]
            blocks.append(block if mine.all() else block.pick(np.flatnonzero(mine)))
            start += block.size
        return Table._made(self.columns, blocks)

    def rows(self, numbers: Rows) -> Table:
        """The rows with these numbers, which are given in rising order."""
        blocks, start = [], 0
        for block in self._blocks:
            low, high = np.searchsorted(numbers, (start, start + block.size))
            blocks.append(block.pick(numbers[low:high] - start))
            start += block.size
        return Table._made(self.columns, blocks)

    def text_equals(self, name: str, value: str) -> Mask:
        """Mask, shape (rows,), of the rows whose text column has this value."""
        return self.text_among(name, (value,))

    def text_among(self, name: str, values: Collection[str]) -> Mask:
        """Mask, shape (rows,), of the rows whose text column has one of these values."""
        wanted = {str(value) for value in values}
        found = [np.empty(0, bool)]
        for block in self._blocks:
            column = block.text(name)
            if column.numbered:
                listed = self._listed(block, name)
                found.append(np.fromiter((text in wanted for text in listed), bool, block.size))
            else:
                found.append(column.flags(wanted))
        return np.concatenate(found)

    def between(self, start: float, end: float, column: str = "time") -> Table:
        """The rows with ``start <= column <= end``, in seconds."""
        values = self.number(column)
        return self.where((values >= start) & (values <= end))

    def pieces(self) -> Iterator[Table]:
        """The table in pieces of at most 10,000 rows, in order."""
        for block in self._blocks:
            for start in range(0, block.size, _ROWS_AT_ONCE):
                stop = min(start + _ROWS_AT_ONCE, block.size)
                yield Table._made(self.columns, [block.pick(np.arange(start, stop))])

    def with_texts(self, function: Callable[[str], str], names: Iterable[str]) -> Table:
        """The texts of these columns replaced by what the function makes of them.

        It is applied to each distinct text, and to the pieces of those kept as a pattern.
        """
        chosen = tuple(names)
        blocks = []
        for block in self._blocks:
            texts = {**block.texts}
            for name in chosen:
                texts[name] = texts[name].mapped(function)
            blocks.append(Block(block.size, block.numbers, texts, block.rows))
        return Table._made(self.columns, blocks)

    def kept(self) -> Iterator[tuple[dict[str, npt.NDArray[Any]], dict[str, TextColumn]]]:
        """The columns as they are kept, stretch by stretch, for a store.

        Whole numbers are in their own type, the absent ones as the least value of it.
        """
        for block in self._blocks:
            yield (
                {name: block.kept(name) for name in self.columns.numbers},
                {name: block.text(name) for name in self.columns.texts},
            )

    # ---------------------------------------------------------------- CSV

    def to_csv(self, *, header: bool = True) -> str:
        """CSV text that reads back exactly."""
        lines = [line(self.columns.names)] if header else []
        return "".join([*lines, *self._lines()])

    def _lines(self) -> Iterator[str]:
        for piece in self.pieces():
            numbers = [piece.number(name).tolist() for name in self.columns.numbers]
            texts = [piece.text(name) for name in self.columns.texts]
            yield from map(line, zip(*numbers, *texts, strict=True))

    @classmethod
    def from_csv(cls, columns: Columns, text: str) -> Table:
        """Read what :meth:`to_csv` wrote; a last line that was cut off is left out.

        Columns that older versions did not write may be missing. Raises ValueError if the header
        does not have the others, or a row not as many.
        """
        names, rows = parse(columns.names, text, columns.later)
        if not rows:
            return cls(columns)
        data: dict[str, Any] = dict(zip(names, zip(*rows, strict=True), strict=True))
        for name in data.keys() & set(columns.numbers):
            data[name] = [float(value) if value else math.nan for value in data[name]]
        return cls(columns, data)
