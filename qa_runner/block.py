"""A stretch of a table's rows, as they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qa_runner.text_column import TextColumn

__all__ = ["Block", "Mask", "Rows", "absent", "floats", "merged", "whole"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_SMALL_ROWS = 8192
_MOST_SMALL = 64


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that came together, by column, as they are kept; ``rows`` are the chosen ones.

    A column of numbers that has no dimension is absent in every row, and takes no memory.
    """

    size: int
    numbers: Mapping[str, npt.NDArray[Any]]
    texts: Mapping[str, TextColumn]
    rows: Rows | None = None

    def kept(self, name: str) -> npt.NDArray[Any]:
        """A column of numbers, whole ones in their own type."""
        values = self.numbers[name]
        if not values.ndim:
            return np.full(self.size, values)
        return values if self.rows is None else values[self.rows]

    def text(self, name: str) -> TextColumn:
        """A column of text."""
        column = self.texts[name]
        return column if self.rows is None else column.at(self.rows).compact()

    def pick(self, picked: Rows) -> Block:
        """The rows with these numbers; no column is copied."""
        rows = picked if self.rows is None else self.rows[picked]
        return Block(picked.size, self.numbers, self.texts, rows)


def absent(kind: str | None) -> npt.NDArray[Any]:
    """A column of numbers that every row lacks, of whole ones if these are ``kind``."""
    return np.array(np.iinfo(kind).min if kind else np.nan, dtype=kind)


def floats(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Numbers as float64; the least value of a type of whole numbers is NaN."""
    if values.dtype == np.float64:
        return values
    found = values.astype(np.float64)
    absent = values == np.iinfo(values.dtype).min
    if absent.any():
        found[absent] = np.nan
    return found


def whole(name: str, values: Any, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Whole numbers in their type; its least value stands for an absent one.

    Raises ValueError, naming the column, if one is not whole or too large.
    """
    held = np.asarray(values)
    if held.dtype == kind:
        return held
    floats = held.astype(np.float64)
    limits = np.iinfo(kind)
    absent = np.isnan(floats)
    # The type's least value is taken, and 2**63 is no float of the largest type.
    fits = (floats > limits.min) & (floats < float(limits.max) + 1) & (floats == np.floor(floats))
    if not (fits | absent).all():
        odd = floats[~(fits | absent)][0]
        raise ValueError(f"{name} is a whole number of {8 * kind.itemsize} bits, not {odd:g}")
    found = np.where(absent, 0, floats).astype(kind)
    found[absent] = limits.min
    return found


def merged(blocks: list[Block]) -> Iterable[Block]:
    """The blocks; where very many of them are small, each run of small ones is made one."""
    if sum(block.size < _SMALL_ROWS for block in blocks) <= _MOST_SMALL:
        return blocks
    return _with_runs_joined(blocks)


def _with_runs_joined(blocks: list[Block]) -> Iterator[Block]:
    run: list[Block] = []
    for block in blocks:
        if block.size < _SMALL_ROWS:
            run.append(block)
            continue
        yield from _joined(run)
        run = []
        yield block
    yield from _joined(run)


def _joined(run: list[Block]) -> Iterator[Block]:
    if len(run) < 2:  # noqa: PLR2004 (one alone stays as it is)
        yield from run
        return
    first = run[0]
    yield Block(
        sum(block.size for block in run),
        {name: _joined_numbers(run, name) for name in first.numbers},
        {name: TextColumn.joined([block.text(name) for block in run]) for name in first.texts},
    )


def _joined_numbers(run: list[Block], name: str) -> npt.NDArray[Any]:
    if not any(block.numbers[name].ndim for block in run):
        return run[0].numbers[name]
    return np.concatenate([block.kept(name) for block in run])
