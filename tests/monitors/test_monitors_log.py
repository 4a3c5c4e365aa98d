"""The log monitor on real files that grow, rotate, shrink, or are not there."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qa_runner.clock import Clock
from qa_runner.monitors.log import LogMonitor
from qa_runner.table import Table

LOCKED = """\
2026-01-02 10:00:00,123 ERROR django.request Internal Server Error: /api/purchase/
Traceback (most recent call last):
  File "/srv/db/backends/sqlite3/base.py", line 1, in execute
    return super().execute(query, params)
sqlite3.OperationalError: database is locked

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/finances/views.py", line 2, in post
    transaction.save()
django.db.utils.OperationalError: database is locked
"""


def ignore(name: str, table: Table) -> None:
    """A sink that keeps nothing."""


@contextmanager
def following(path: Path, *, tag: str = "") -> Iterator[LogMonitor]:
    monitor = LogMonitor(path, tag=tag)
    monitor.interval_seconds = 60
    monitor.start(Clock(), 1, ignore)
    try:
        yield monitor
    finally:
        monitor.stop()


def append(path: Path, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    with path.open("ab") as file:
        file.write(data)


def seen(monitor: LogMonitor) -> list[tuple[str, str]]:
    monitor.sample_now()
    rows = monitor.rows()
    return list(zip(rows.text("level"), rows.text("kind"), strict=True))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "server.log"
    path.write_text("2026-01-01 09:00:00 ERROR app before the run\n")
    return path


def test_only_what_is_written_after_the_start_counts(log: Path) -> None:
    with following(log) as monitor:
        assert seen(monitor) == []
        append(log, "2026-01-01 10:00:00 INFO app fine\n2026-01-01 10:00:01 WARNING app odd\n")
        assert seen(monitor) == [("WARNING", "other")]
        assert monitor.rows().number("time")[0] <= monitor.clock.now()


def test_a_traceback_is_one_record_with_its_cause(log: Path) -> None:
    with following(log) as monitor:
        append(log, LOCKED * 3)
        assert seen(monitor) == [("ERROR", "lock")] * 3
        assert "database is locked" in monitor.rows().text("text")[0]
        assert monitor.totals == {"lock": 3}


def test_bare_tracebacks_are_told_apart(log: Path) -> None:
    bare = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: 7\n'
    with following(log) as monitor:
        append(log, bare * 2)
        assert seen(monitor) == [("ERROR", "server-error")] * 2
        append(log, "INFO: started\n" + bare)
        assert seen(monitor) == [("ERROR", "server-error")] * 3
        assert "ValueError: 7" in monitor.rows().text("text")[-1]


def test_the_format_of_the_development_server_is_understood(log: Path) -> None:
    with following(log) as monitor:
        append(
            log,
            "Internal Server Error: /purchase/\n"
            'Traceback (most recent call last):\n  File "x.py", line 1\nKeyError: 1\n'
            '[02/Jan/2026 10:00:00] "POST /purchase/ HTTP/1.1" 500 1234\n'
            "Not Found: /x\n"
            '[02/Jan/2026 10:00:00] "GET /x HTTP/1.1" 404 12\n',
        )
        assert seen(monitor) == [("ERROR", "server-error")]


def test_a_real_logging_handler_that_rotates_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=4000, backupCount=50)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.Logger("app")  # noqa: LOG001 (leaves no trace in other tests)
    logger.addHandler(handler)
    with following(path) as monitor:
        for number in range(300):
            logger.error("payment %d failed", number)
            if number % 25 == 0:
                monitor.sample_now()
        assert seen(monitor) == [("ERROR", "server-error")] * 300
        assert any("rotated" in note for note in monitor.notes())
    handler.close()


def test_a_truncated_file_is_followed_from_its_beginning(log: Path) -> None:
    with following(log) as monitor:
        append(log, "ERROR: one\n" * 10)
        assert len(seen(monitor)) == 10
        log.write_text("ERROR: two\n")
        assert len(seen(monitor)) == 11
        assert any("truncated" in note for note in monitor.notes())


def test_a_file_that_appears_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "later.log"
    with following(path) as monitor:
        assert "does not exist" in monitor.reason
        path.write_text("ERROR: first\n")
        assert seen(monitor) == [("ERROR", "server-error")]
        assert monitor.reason == ""


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with following(pipe) as monitor:
        assert "is not a file" in monitor.reason
    with following(tmp_path) as monitor:
        assert "is not a file" in monitor.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(log: Path) -> None:
    log.chmod(0)
    with following(log) as monitor:
        assert "Permission denied" in monitor.reason


def test_binary_rubbish_and_half_lines_do_no_harm(log: Path) -> None:
    with following(log) as monitor:
        append(log, bytes(range(256)) * 20 + b"\nERROR: \xff\xfe\x00 bad\x1b[31m bytes\nERROR: ha")
        assert seen(monitor)[-1:] == [("ERROR", "server-error")]
        count = len(monitor.rows())
        text = monitor.rows().text("text")[-1]
        assert "\x00" not in text
        assert "\x1b" not in text
        assert any("is not all text" in note for note in monitor.notes())
        append(log, "lf a line: database is locked\n")
        assert seen(monitor)[count:] == [("ERROR", "lock")]


def test_a_huge_line_is_cut(log: Path) -> None:
    with following(log) as monitor:
        append(log, "ERROR: " + "x" * 3_000_000 + "\nERROR: next\n")
        assert seen(monitor) == [("ERROR", "server-error")] * 2
        assert len(monitor.rows().text("text")[0]) <= 400


def test_of_a_huge_file_only_what_is_new_is_read(log: Path) -> None:
    with log.open("r+b") as file:
        file.truncate(5 << 30)  # no room on the disk is needed: it is a hole
    with following(log) as monitor:
        append(log, "ERROR: new\n")
        assert seen(monitor) == [("ERROR", "server-error")]
        # Had it read from the beginning, it would have met what is no text.
        assert monitor.notes() == []


def test_a_file_that_may_not_be_read_any_more_says_so(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotated into a file of another user; asked for like this since root may read all."""
    with following(log) as monitor:
        append(log, "ERROR: before\n")
        assert seen(monitor) == [("ERROR", "server-error")]
        log.rename(log.with_suffix(".1"))
        log.write_text("ERROR: after\n")
        real = Path.open

        def deny(path: Path, *arguments: Any, **options: Any) -> Any:
            if path == log:
                raise PermissionError(13, "Permission denied")
            return real(path, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", deny)
            assert len(seen(monitor)) == 1
            assert monitor.reason == f"cannot read the server log {log}: Permission denied"
        assert len(seen(monitor)) == 2
        assert monitor.reason == ""


def test_thousands_of_lines_are_counted_and_few_kept(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[LogMonitor.__module__], "_ROWS", 100)
    with following(log) as monitor:
        append(log, "2026-01-01 10:00:00 ERROR app no\n" * 30_000)
        assert len(seen(monitor)) == 100
        assert monitor.totals["server-error"] == 30_000
        assert any("100" in note for note in monitor.notes())


def test_secrets_are_taken_out_but_our_own_addresses_stay(log: Path) -> None:
    with following(log, tag="qa7f3") as monitor:
        append(
            log,
            "ERROR: user jane@example.org and bob+qa7f3@example.org password=hunter2 "
            "Authorization: Bearer abcdefghijklmnop\n"
            "ERROR: postgres://app:topsecret@db.local/x key sk_live_abcdefgh1234\n",
        )
        monitor.sample_now()
        text = " ".join(monitor.rows().text("text"))
    assert "bob+qa7f3@example.org" in text
    for secret in ("jane", "hunter2", "abcdefghijklmnop", "topsecret", "sk_live"):
        assert secret not in text


def test_the_last_record_is_not_lost_at_the_end(log: Path) -> None:
    with following(log) as monitor:
        append(log, LOCKED)
    assert monitor.rows().text("kind") == ["lock"]


def test_quiet_after_a_record_hands_it_out(log: Path) -> None:
    with following(log) as monitor:
        append(log, "ERROR: one\n")
        monitor._sample()
        assert len(monitor.rows()) == 0
        monitor._sample()
        assert len(monitor.rows()) == 1
