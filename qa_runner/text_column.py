"""A column of texts in which few differ: each distinct one once, and a code for each row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Codes", "Pattern", "TextColumn", "narrow"]

Codes = npt.NDArray[np.unsignedinteger]
Numbers = npt.NDArray[np.int64]
Pattern = tuple[str, ...]
"""A text that differs by the number of its row only: the pieces that the number stands between."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """``codes``, shape (rows,), are places in ``values``, each of which stands there once.

    A value can be a :data:`Pattern`; what reads the texts is given the number of each row then.
    Not every value needs to be in use.
    """

    codes: Codes
    values: Sequence[str | Pattern]
    numbered: bool = False
    """Whether a value is a pattern."""

    @classmethod
    def of(cls, texts: Iterable[object]) -> TextColumn:
        """From one text for each row."""
        index: dict[str | Pattern, int] = {}
        codes = [index.setdefault(str(text), len(index)) for text in texts]
        return cls(narrow(np.array(codes, dtype=np.uint32), len(index)), list(index))

    @classmethod
    def same(cls, value: str | Pattern, rows: int) -> TextColumn:
        """One value in every row."""
        return cls(np.zeros(rows, dtype=np.uint8), [value], isinstance(value, tuple))

    @classmethod
    def sparse(cls, places: Sequence[int], texts: Sequence[str], rows: int) -> TextColumn:
        """These texts at these rows; all others are empty."""
        if not places:
            return cls.same("", rows)
        index: dict[str | Pattern, int] = {"": 0}
        codes = np.zeros(rows, dtype=np.uint32)
        codes[list(places)] = [index.setdefault(text, len(index)) for text in texts]
        return cls(narrow(codes, len(index)), list(index))

    @classmethod
    def chosen(cls, choice: npt.NDArray[np.integer], values: Sequence[str]) -> TextColumn:
        """``values[choice]`` for each row; values may stand there more than once."""
        index: dict[str | Pattern, int] = {}
        mapping = np.array([index.setdefault(v, len(index)) for v in values], dtype=np.uint32)
        return cls(narrow(mapping[choice], len(index)), list(index))

    @classmethod
    def joined(cls, columns: Sequence[TextColumn]) -> TextColumn:
        """One column after the other, without values that no row has."""
        index: dict[str | Pattern, int] = {}
        codes = []
        for column in columns:
            used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.values)))
            mapping = np.zeros(len(column.values), dtype=np.uint32)
            mapping[used] = [
                index.setdefault(column.values[place], len(index)) for place in used.tolist()
            ]
            codes.append(narrow(mapping, len(index))[column.codes])
        numbered = any(column.numbered for column in columns)
        return cls(narrow(np.concatenate(codes), len(index)), list(index), numbered)

    def __len__(self) -> int:
        return self.codes.size

    def at(self, rows: npt.NDArray[np.intp]) -> TextColumn:
        """The rows with these numbers."""
        return TextColumn(self.codes[rows], self.values, self.numbered)

    def compact(self) -> TextColumn:
        """The same without values that no row has, if there may be many of those."""
        if len(self.values) <= self.codes.size:
            return self
        used, codes = np.unique(self.codes, return_inverse=True)
        values = [self.values[place] for place in used.tolist()]
        return TextColumn(narrow(codes.astype(np.uint32), used.size), values, self.numbered)

    def listed(self, numbers: Callable[[], Numbers]) -> list[str]:
        """The text of each row; ``numbers`` gives that of each row, where there are patterns."""
        values, codes = self.values, self.codes.tolist()
        if not self.numbered:
            return [values[code] for code in codes]
        return [
            value if isinstance(value := values[code], str) else str(number).join(value)
            for code, number in zip(codes, numbers().tolist(), strict=True)
        ]

    def flags(self, wanted: Collection[str]) -> npt.NDArray[np.bool_]:
        """Mask, shape (rows,), of the rows with one of these texts; patterns match none."""
        chosen = np.fromiter((value in wanted for value in self.values), bool, len(self.values))
        return chosen[self.codes] if self.values else np.zeros(len(self), bool)

    def mapped(self, function: Callable[[str], str]) -> TextColumn:
        """With the function applied to each value, and to each piece of a pattern."""
        index: dict[str | Pattern, int] = {}
        found = [
            function(value) if isinstance(value, str) else tuple(function(p) for p in value)
            for value in self.values
        ]
        mapping = [index.setdefault(value, len(index)) for value in found]
        if len(index) == len(found):
            return TextColumn(self.codes, found, self.numbered)
        turned = np.array(mapping, dtype=np.uint32)[self.codes]
        return TextColumn(narrow(turned, len(index)), list(index), self.numbered)


def narrow(codes: npt.NDArray[np.unsignedinteger], count: int) -> Codes:
    """The codes in the smallest type that holds ``count`` of them."""
    return codes.astype(np.min_scalar_type(max(count - 1, 0)), copy=False)
