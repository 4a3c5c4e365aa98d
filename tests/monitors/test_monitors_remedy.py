"""Errors of databases, in the drivers' own words, and what to do about each."""

from __future__ import annotations

import pytest

from qa_runner.monitors.probe.remedy import remedy


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("Anmeldung fehlgeschlagen")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("database is locked", "it tries again"),
        ("no such table: shop_order", "migrated"),
        ('relation "shop_order" does not exist', "migrated"),
        ("no such column: shop_order.payment_ref", "ahead of the database"),
        ("attempt to write a readonly database", "can only be read"),
        ("unable to open database file", "check NAME"),
        ("file is not a database", "check NAME"),
        ('FATAL:  password authentication failed for user "ada"', "check USER and PASSWORD"),
        ("fe_sendauth: no password supplied", "check USER and PASSWORD"),
        ('FATAL:  database "shop" does not exist', "check NAME"),
        ('FATAL:  role "ada" does not exist', "check USER"),
        ("[Errno -2] Name or service not known", "check HOST"),
        ("connection failed: Connection refused", "does the database server run"),
        ("connection timeout expired", "does not answer"),
        ("FATAL:  sorry, too many clients already", "no connection is left"),
        ("permission denied for table shop_order", "user that the server has"),
        ("server closed the connection unexpectedly", "opens another"),
        ("canceling statement due to statement timeout", "burden"),
        ("interrupted", "burden"),
        ("division by zero", ""),
    ],
)
def test_words_lead_to_a_remedy(text: str, expected: str) -> None:
    found = remedy(Exception(text))
    assert expected in found
    assert bool(found) == bool(expected)


def test_a_server_that_speaks_another_language_is_understood_by_its_code() -> None:
    error = Exception("Anmeldung fehlgeschlagen")
    error.__cause__ = DriverError("28P01")
    assert "check USER and PASSWORD" in remedy(error)
    error.__cause__ = DriverError("3D000")
    assert "check NAME" in remedy(error)


def test_at_the_start_nothing_is_tried_again() -> None:
    for text in ("database is locked", "server closed the connection unexpectedly"):
        found = remedy(Exception(text), opening=True)
        assert "start again" in found
        assert "tries again" not in found
        assert "opens another" not in found
    assert "migrated" in remedy(Exception("no such table: shop_order"), opening=True)
