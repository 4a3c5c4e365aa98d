"""What lines and bodies are taken for."""

from __future__ import annotations

import time

import pytest

from qa_runner.monitors.log_kinds import classify, kind_of_text
from qa_runner.redaction import redact


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-01-01 10:00:00,123 ERROR finances.views Payment failed", ("ERROR", "server-error")),
        ("[ERROR] something broke", ("ERROR", "server-error")),
        ("ERROR: something broke", ("ERROR", "server-error")),
        ("ERROR 2026-01-01 10:00:00 views 12 34 broke", ("ERROR", "server-error")),
        ("[2026-01-01 10:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT", ("CRITICAL", "server-error")),
        ('{"level": "error", "message": "broke"}', ("ERROR", "server-error")),
        ("2026-01-01 WARNING app low on memory", ("WARNING", "other")),
        ("WARN: deprecated", ("WARNING", "other")),
        ("Internal Server Error: /finances/api/", ("ERROR", "server-error")),
        ("Traceback (most recent call last):", ("ERROR", "server-error")),
        ("sqlite3.OperationalError: database is locked", ("", "lock")),
        ("database table is locked: accounts", ("", "lock")),
        ("2026-01-01 INFO retry: could not obtain lock on row", ("INFO", "lock")),
        ("ERROR:  canceling statement due to lock timeout", ("ERROR", "lock")),
        ("ERROR:  deadlock detected", ("ERROR", "deadlock")),
        ("(1213, 'Deadlock found when trying to get lock')", ("", "deadlock")),
        ("(1205, 'Lock wait timeout exceeded')", ("", "lock")),
        ("ERROR: canceling statement due to statement timeout", ("ERROR", "timeout")),
        ("psycopg.errors.QueryCanceled", ("", "timeout")),
        ("OperationalError: connection to server failed: timeout expired", ("", "timeout")),
        ("httpx: connection timed out while calling the payment service", None),
        ("2026-01-01 10:00:00 INFO app started", None),
        ('INFO: 127.0.0.1 - "GET /error HTTP/1.1" 200', None),
        ('[02/Jan/2026 10:00:00] "POST /x HTTP/1.1" 500 12', None),
        ("no error here", None),
        ("", None),
    ],
)
def test_lines(line: str, expected: tuple[str, str] | None) -> None:
    assert classify(line) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": "database is locked"}', "lock"),
        ("<title>OperationalError at /x: deadlock detected</title>", "deadlock"),
        ("<h1>Internal Server Error</h1>", "server-error"),
        ('{"email": ["Enter a valid email address."]}', ""),
        ("", ""),
    ],
)
def test_bodies(body: str, expected: str) -> None:
    assert kind_of_text(body) == expected


@pytest.mark.parametrize("text", ["a" * 100_000, "@" * 100_000, "a.-" * 30_000, "sk_" * 30_000])
def test_redacting_takes_no_time_on_hostile_text(text: str) -> None:
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('{"client_secret": "pi_1_secret_2"}', "secret_2"),
        ("SECRET_KEY='abc def'", "abc"),
        ("Cookie: sessionid=abc; csrftoken=def", "def"),
        ("--db-password=hunter2", "hunter2"),
        ("token: eyJhbGciOiJI.eyJzdWIi.sig", "eyJ"),
        ("redis://:hunter2@cache:6379/0", "hunter2"),
    ],
)
def test_secrets_are_redacted(text: str, secret: str) -> None:
    assert secret not in redact(text)


def test_plain_text_stays() -> None:
    text = "2026-01-01 ERROR finances.views Payment 17 of plan 3 failed: timeout"
    assert redact(text) == text
