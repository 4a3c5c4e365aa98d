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
        ["users", "req/s", "p(95)", "query", "stored", "growth"],
        ["5", "86.66", "51 ms", "0.25 ms", "52.3 MB", "9.88 %"],
        ["10", "103.6", "\u2013", "1.43 s", "4.10 kB", "\u22120.5 %"],
    ]


def test_a_column_of_words_keeps_its_name() -> None:
    assert texts(["limit s", "s", "what %"], ["none", 2, "90 or so"]) == [
        ["limit s", "s", "what %"],
        ["none", "2", "90 or so"],
    ]


def test_numbers_that_are_names_are_not_grouped() -> None:
    assert texts(["pid", "bytes"], [32031, 32031]) == [["pid", "bytes"], ["32031", "32,031"]]


def test_columns_that_differ_in_their_units_only_keep_them() -> None:
    assert texts(["end MB", "growth MB", "growth %"], [65.2, 0.0102, 0.01]) == [
        ["end", "growth MB", "growth %"],
        ["65.2 MB", "10.2 kB", "0.01 %"],
    ]


def test_counts_look_alike_however_they_were_stored() -> None:
    assert texts(["before", "after"], [2885.0, 2945], [123456.0, 123456]) == [
        ["before", "after"],
        ["2,885", "2,945"],
        ["123,456", "123,456"],
    ]
