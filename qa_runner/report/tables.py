"""Tables that a test case stored, as the page shows them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from qa_runner.report.format import cell, quantity
from qa_runner.result import Cell, DataTable

__all__ = ["table_view"]

_MOST_ROWS = 200
_PAIR = 2
_FEW_PAIRS = 6
_MOST_OPEN_ROWS = 12
_CHECKLIST = "check"
"""The first column of a table whose second counts, for each check, what it found wrong."""
_UNITS = ("s", "ms", "MB", "%")
_PERCENTILE = re.compile(r"\bp(\d+)\b")
_NAMES = ("pid", "port", "status")


def table_view(table: DataTable) -> dict[str, Any]:
    """Its first rows; numbers have the unit that ends the name of their column: "median s"."""
    shown = table.rows[:_MOST_ROWS]
    width = max([len(table.columns), *(len(row) for row in shown)])
    numeric = [_is_numeric([row[at] for row in shown if at < len(row)]) for at in range(width)]
    left_out = len(table.rows) - len(shown)
    named = [_unit(name) if numeric[at] else (name, "") for at, name in enumerate(table.columns)]
    units = [unit for _, unit in named] + [""] * (width - len(named))
    often = Counter(name for name, _ in named)
    columns = [
        {"text": short if often[short] == 1 else name, "number": numeric[at] and at > 0}
        for at, (name, (short, _)) in enumerate(zip(table.columns, named, strict=True))
    ]
    rows: list[list[dict[str, Any]]] = [
        [{"text": _text(value, units[at]), "number": numeric[at]} for at, value in enumerate(row)]
        for row in shown
    ]
    if table.columns[:1] == [_CHECKLIST] and numeric[1:2] == [True]:
        columns.insert(1, {"text": "holds", "number": False})
        for held, row in zip(rows, shown, strict=True):
            held.insert(1, _checked(row))
    return {
        "title": table.title,
        "columns": columns,
        "rows": rows,
        "pairs": len(rows) > _FEW_PAIRS and all(len(row) == _PAIR for row in (columns, *rows)),
        "folded": len(rows) > _MOST_OPEN_ROWS,
        "note": f"{left_out:,} more rows are in run.json." if left_out > 0 else "",
    }


def _unit(column: str) -> tuple[str, str]:
    """The name of a column of numbers, and their unit, with which it may have ended."""
    # A column's name in Python is p95; on the page a percentile is p(95) everywhere.
    column = _PERCENTILE.sub(r"p(\1)", column)
    name, _, unit = column.rpartition(" ")
    if name and unit in _UNITS:
        return name.rstrip(","), unit
    return column, "" if column in _NAMES else "count"


def _text(value: Cell, unit: str) -> str:
    if not unit or not isinstance(value, int | float):
        return cell(value)
    if unit != "count":
        return quantity(value, unit)
    return f"{int(value):,}" if float(value).is_integer() else cell(value)


def _checked(row: list[Cell]) -> dict[str, Any]:
    """Whether a check that counts what is wrong has found nothing."""
    count = row[1] if len(row) > 1 else None
    if count is None:
        return {"text": "not counted", "mark": {"icon": "?", "verdict": "inconclusive"}}
    if count:
        return {"text": "no", "mark": {"icon": "✗", "verdict": "fail"}}
    return {"text": "yes", "mark": {"icon": "✓", "verdict": "pass"}}


def _is_numeric(values: list[Any]) -> bool:
    """Whether a column holds numbers only, so that it is aligned as one."""
    return all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    )
