"""The last words of a server that did not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_runner.targets.log_tail import last_lines

TRACEBACK = 'Traceback (most recent call last):\n  File "wsgi.py", line 1\n'
CHAINED = "\nDuring handling of the above exception, another exception occurred:\n\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def test_the_last_five_that_are_not_blank(log: Path) -> None:
    log.write_text("".join(f"line {number}\n\n \n" for number in range(9)))
    assert last_lines(log) == ["line 4", "line 5", "line 6", "line 7", "line 8"]
    assert last_lines(log, start=log.stat().st_size) == []


def test_the_cause_is_found_above_what_the_master_says(log: Path) -> None:
    log.write_text(
        f"{TRACEBACK}KeyError: 'first'\n{CHAINED}{TRACEBACK}ModuleNotFoundError: shop\n"
        + "".join(f"[INFO] shutting down {number}\n" for number in range(7))
    )
    assert last_lines(log) == [
        "ModuleNotFoundError: shop",
        "[INFO] shutting down 5",
        "[INFO] shutting down 6",
    ]


def test_every_worker_says_the_same_and_the_master_fails_of_it(log: Path) -> None:
    log.write_text(
        f"{TRACEBACK}ModuleNotFoundError: shop\n[ERROR] worker 2\n" * 3
        + f"{TRACEBACK}HaltServer: failed to boot\n{CHAINED}{TRACEBACK}  x\nHaltServer: 3\n"
    )
    assert last_lines(log) == ["ModuleNotFoundError: shop", "HaltServer: 3"]


def test_a_cause_among_the_last_lines_stands_where_it_is(log: Path) -> None:
    log.write_text(f"{TRACEBACK}KeyError: 'first'\n{CHAINED}{TRACEBACK}ValueError: last\nbye\n")
    assert last_lines(log)[-2:] == ["ValueError: last", "bye"]
    assert len(last_lines(log)) == 5


def test_what_is_no_text_does_no_harm(log: Path) -> None:
    log.write_bytes(bytes(range(256)) * 2000 + b"\n" + b"x" * 100_000 + b"\nend\n")
    lines = last_lines(log)
    assert lines[-1] == "end"
    assert all(line.isprintable() and len(line) <= 200 for line in lines)
    assert last_lines(log.with_name("nothing.log")) == []
    assert last_lines(log.parent) == []
