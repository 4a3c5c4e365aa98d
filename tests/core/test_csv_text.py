"""Cells that no spreadsheet takes for a formula, however it splits the text."""

from __future__ import annotations

import csv
import io

import pytest

from qa_runner.csv_text import inert, line

FORMULAS = ("=", "+", "-", "@", "\uff1d")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text",
    ["=1+1", "a;=1+1", "oops, x\n=HYPERLINK(1)", "a\t@x", 'x; "=1', "a\r\n+1", "a;\uff1d1"],
)
def test_no_cell_begins_like_a_formula(text: str, separator: str) -> None:
    written = line(["first", inert(text), "last"])
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        rows = csv.reader(io.StringIO(written, newline=""), delimiter=separator, quoting=quoting)
        cells = [cell.strip().strip('"').strip() for row in rows for cell in row]
        assert not any(cell.startswith(FORMULAS) for cell in cells), cells


@pytest.mark.parametrize("text", ["a - b", "x=1", "1; 2", "mail@example.com", ""])
def test_other_words_stay_as_they_are(text: str) -> None:
    assert inert(text) == text
