"""Server-Timing headers of servers, frameworks and mischief."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.load.server_timing import parse_server_timing


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("db;dur=12.5", 0.0125),
        ("db; dur=12.5", 0.0125),
        ("DB ;\tDUR = 12.5", 0.0125),
        ('db;desc="7 queries";dur=12.5', 0.0125),
        ('db;desc="a, db;dur=99 \\" b";dur=12.5', 0.0125),
        ('total;dur=99, db;dur=12.5;desc="7 queries"', 0.0125),
        ("db;dur=3, total;dur=99", 0.003),
        ("db;dur=.5", 0.0005),
        ("db;dur=7", 0.007),
        ('db;dur="7"', 0.007),
        ("db;dur=7;dur=9", 0.007),
        ("db;dur=2e3", 2.0),
        ("db;dur=0", 0.0),
        ("database;dur=3", 0.003),
        ("sql;dur=3", 0.003),
        ("sql;dur=99, database;dur=98, db;dur=3", 0.003),
        ("sql.active_record;dur=3, process_action.action_controller;dur=9", 0.003),
        (
            'TimerPanel_total;dur=21;desc="Elapsed", SQLPanel_sql_time;dur=3;desc="SQL 2 queries"',
            0.003,
        ),
        ("db;dur=1, db;dur=2", 0.003),
        ('db;dur=1, db;dur=2;desc="3 queries"', 0.002),
        ("db", None),
        ("total;dur=99", None),
        ("mydb;dur=99", None),
        ("my-db;dur=99", None),
        ("db-write;dur=99", None),
        ("db;dur=fast", None),
        ("db;dur=...", None),
        ("db;dur=-1", None),
        ("db;dur=;dur=3", None),
        ("db;dur=1.2.3", 0.0012),
        ("db;dur=" + "9" * 400, None),
        ("db;dur=9e307, db;dur=9e307, db;dur=9e307", None),
        ('"db;dur=1', None),
        ("", None),
        (",;=,", None),
        ("\x00\u2028<b>", None),
    ],
)
def test_database_time_is_read(header: str, seconds: float | None) -> None:
    found = parse_server_timing(header).database_seconds
    assert found == pytest.approx(math.nan if seconds is None else seconds, nan_ok=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("app;dur=20", 0.02),
        ("total;dur=20", 0.02),
        ("app;dur=20, total;dur=30", 0.03),
        ("total, app;dur=20", 0.02),
        ("app;dur=20, app;dur=15", 0.02),
        ('app;dur=20, db;dur=5;desc="1 query"', 0.02),
        # As in the W3C's example: what is shorter than the database does not include it.
        ("db;dur=53, app;dur=47.2", 0.1002),
        ("db;dur=53, app;dur=47.2, total;dur=123.4", 0.1234),
        ("process_action.action_controller;dur=9, sql.active_record;dur=3", 0.009),
        ("db;dur=5", None),
        ("cache;dur=5", None),
    ],
)
def test_time_in_the_application_includes_the_database(header: str, seconds: float | None) -> None:
    found = parse_server_timing(header).application_seconds
    assert found == pytest.approx(math.nan if seconds is None else seconds, nan_ok=True)


@pytest.mark.parametrize(
    ("header", "queries"),
    [
        ('db;dur=1;desc="7 queries"', 7),
        ('db;dur=1;desc="1 query"', 1),
        ('db;desc="7 queries"', 7),
        ('db;desc="SQL 12 Queries"', 12),
        ("db;desc=7queries", 7),
        ('db;desc="0 queries"', 0),
        ('db;desc="3 queries", db;desc="5 queries"', 5),
        ("db;dur=1;desc=7", None),
        ('cache;desc="7 queries"', None),
        ('db;desc="' + "9" * 30 + ' queries"', None),
    ],
)
def test_the_number_of_queries_is_read(header: str, queries: float | None) -> None:
    found = parse_server_timing(header).queries
    assert found == pytest.approx(math.nan if queries is None else queries, nan_ok=True)


_MISCHIEF = st.text(alphabet='dbaptol;ur=".,0123456789e queris\\\n', max_size=60)


@given(st.one_of(st.text(max_size=60), _MISCHIEF))
def test_whatever_stands_there_is_a_number_that_can_be_kept_or_none(header: str) -> None:
    for value in parse_server_timing(header):
        assert math.isnan(value) or 0 <= value < 1e9
    queries = parse_server_timing(header).queries
    assert math.isnan(queries) or queries.is_integer()
