"""Tables of a test case in the page."""

from __future__ import annotations

from qa_runner.report.tables import table_view
from qa_runner.result import Cell, DataTable


def texts(columns: list[str], *rows: list[Cell]) -> list[list[str]]:
    shown = table_view(DataTable(name="t", title="T", columns=columns, rows=list(rows)))
    return [[held["text"] for held in row] for row in (shown["columns"], *shown["rows"])]


def test_numbers_have_the_unit_of_their_column_and_few_digits() -> None:
    assert texts(
        ["users", "req/s", "p95 s", "query ms", "stored, MB", "growth %"],
        [5, 86.6612, 0.050875, 0.24613, 52.3456, 9.87654],
        [10, 103.5581, None, 1432.5, 0.0041, -0.5],
    ) == [
        ["users", "req/s", "p95", "query", "stored", "growth"],
        ["5", "86.66", "51 ms", "0.25 ms", "52.3 MB", "9.88 %"],
        ["10", "103.6", "\u2013", "1.43 s", "4.10 kB", "\u22120.5 %"],
    ]


def test_a_column_of_words_keeps_its_name() -> None:
    assert texts(["limit s", "s", "what %"], ["none", 2, "90 or so"]) == [
        ["limit s", "s", "what %"],
        ["none", "2", "90 or so"],
    ]
