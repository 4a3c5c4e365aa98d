"""Numbers, times and text as people read them."""

from __future__ import annotations

import math

import pytest

from qa_runner.report.format import apart, cell, duration, moment, number, quantity, wall_time
from qa_runner.report.text import clean, visible
from qa_runner.result import Session


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0231, "s", "23 ms"),
        (0.00234, "s", "2.3 ms"),
        (0.41, "s", "410 ms"),
        (1.7236, "s", "1.72 s"),
        (23.1, "ms", "23 ms"),
        (0, "s", "0 s"),
        (120, "s", "120 s"),
        (141.3, "MB", "141 MB"),
        (0.6, "MB", "600 kB"),
        (-0.32, "MB", "\u2212320 kB"),
        (2300, "MB", "2.30 GB"),
        (0.412, "MB per 100 requests", "412 kB per 100 requests"),
        (94.3, "%", "94.3 %"),
        (100, "%", "100 %"),
        # One failure in 30,000 and in 10 million requests.
        (100 - 100 / 30_000, "%", "99.997 %"),
        (100 - 100 / 10_000_000, "%", "99.99999 %"),
        (0, "%", "0 %"),
        (240, "", "240"),
        (12_345, "", "12,345"),
        (84.23, "req/s", "84.2 req/s"),
        (None, "s", "\u2013"),
        (math.nan, "s", "\u2013"),
        (math.inf, "", "\u2013"),
    ],
)
def test_quantities_have_sensible_digits(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_value_never_looks_like_the_limit_that_it_misses() -> None:
    assert apart(99.99, 100, "%") == "99.99 %"
    assert apart(5.0004, 5, "s") == "5.0004 s"
    assert apart(100, 100, "%") == "100 %"
    assert apart(None, 100, "%") == "\u2013"


def test_cells_and_small_numbers() -> None:
    assert [
        cell(value) for value in (None, True, False, 7, 20_361, 25_000_000, 0.1, [1, "a"], "x")
    ] == [*("\u2013", "yes", "no", "7", "20361", "25,000,000", "0.1", "1, a", "x")]
    assert number(0.000123) == "0.000123"
    assert number(-0.0) == "0"


def test_durations() -> None:
    assert [duration(value) for value in (0.5, 42.25, 402.3, 7260.0)] == [
        *("500 ms", "42.2 s", "6 min 42 s", "2 h 1 min")
    ]


def test_times_keep_the_zone_of_the_run() -> None:
    assert moment("2026-11-21T10:00:00.123+01:00") == "2026-11-21 10:00:00 +01:00"
    assert moment("2026-11-21T10:00:00Z") == "2026-11-21 10:00:00 +00:00"
    assert moment("noon") == "noon"
    began = Session(id=1, wall_start="2026-11-21T23:59:58-03:30", monotonic_start=0.0)
    assert wall_time(began, 4.26) == "00:00:02.2 -03:30"
    assert wall_time(began, 4.26, date=True) == "2026-11-22 00:00:02 -03:30"
    assert wall_time(None, 1.0) == "\u2013"
    assert wall_time(began, math.nan) == "\u2013"


def test_hidden_characters_are_spelt_out() -> None:
    assert visible("a\x00\u202eb\ud800\r\nc\td") == "a<U+0000><U+202E>b<U+D800>\nc\td"
    assert visible("\U0001f469\u200d\U0001f4bb für 日本 العربية") == (
        "\U0001f469\u200d\U0001f4bb für 日本 العربية"
    )


def test_cleaning_reaches_every_text_and_bounds_it() -> None:
    value = {"\u202ekey": ["x" * 5000, {"n": 1, "none": None}]}
    found = clean(value)
    assert list(found) == ["<U+202E>key"]
    assert found["<U+202E>key"][0] == "x" * 4000 + "… (1000 more characters)"
    assert found["<U+202E>key"][1] == {"n": 1, "none": None}


def test_what_rounds_up_to_the_next_unit_has_it() -> None:
    assert quantity(0.9996, "s") == "1.00 s"
    assert quantity(0.999, "s") == "999 ms"
    assert quantity(999_999.0, "bytes") == "1.00 MB"
    assert duration(59.97) == "1 min 0 s"
