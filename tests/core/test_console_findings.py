"""The likely causes on the terminal."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from qa_runner.console_findings import print_findings


def printed(*rows: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    print_findings(Console(file=stream, width=60), [{"likely": True} | row for row in rows])
    return stream.getvalue().splitlines()


def test_the_first_two_with_their_remedies() -> None:
    rows = [
        {"sentence": f"Cause {n}." * 9, "remedy": f"Do {n}." if n != 2 else ""} for n in (1, 2, 3)
    ]
    lines = printed(*rows)
    assert [line.split()[0] for line in lines] == ["likely", "→", "likely"]
    assert lines[0].endswith("Cause 1." * 9)
    assert lines[1].endswith("→ Do 1.")


def test_what_tells_of_the_run_itself_is_no_cause() -> None:
    away = {"sentence": "The run was interrupted.", "remedy": "", "likely": False}
    (line,) = printed(away, {"sentence": "A lock.", "remedy": ""})
    assert line.endswith("A lock.")


def test_nothing_went_wrong() -> None:
    assert printed() == []


def test_what_a_server_said_is_inert() -> None:
    (line,) = printed({"sentence": "[red]\x1b[31m\u202e it said", "remedy": ""})
    assert "[red]" in line
    assert "\x1b" not in line
    assert "\u202e" not in line
