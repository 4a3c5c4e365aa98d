"""Columns as CSV text that reads back exactly, and that other tools read."""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from collections.abc import Collection, Iterable, Sequence

__all__ = ["end_of_rows", "inert", "line", "parse"]

_SPECIAL = re.compile('[",\r\n]')
_FORMULA = ("=", "+", "-", "@", "\t", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with; some spreadsheets take the full-width signs as well."""
# Where a spreadsheet may split: at a semicolon in many countries, and then at any line's end.
_INNER = re.compile('([;\t\n][ "]*)([=+\\-@\uff1d\uff0b\uff0d\uff20])')
# A header or an error of a target can be longer than the module's 131,072 characters.
csv.field_size_limit(sys.maxsize)


def line(row: Iterable[float | str]) -> str:
    """A row. Numbers are written so that they read back exactly; NaN as an empty field."""
    return ",".join(map(_cell, row)) + "\n"


def inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    # The csv module of Python 3.11 would leave a carriage return bare.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _INNER.sub(r"\1'\2", text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def parse(
    names: Sequence[str], text: str, optional: Collection[str] = ()
) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of CSV text; a last line that was cut off is left out.

    The columns are ``names``, of which the optional ones may be missing. Raises ValueError if
    the header has others, or a row not as many.
    """
    # A writer that was killed leaves an incomplete last line, if only that of the header.
    text = text[: end_of_rows(text)]
    if not text:
        return list(names), []
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    if header != [name for name in names if name in header or name not in optional]:
        raise ValueError(f"expected the columns {','.join(names)}")
    rows = list(reader)
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} of {len(header)} fields")
    return header, rows


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
