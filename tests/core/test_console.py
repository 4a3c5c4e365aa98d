"""What the terminal shows: plain lines, the live line, the table at the end."""

from __future__ import annotations

import io
import re

import pytest
from core_samples import judged, run_result, step_result
from rich.console import Console

from qa_runner.console import verdict_line, view
from qa_runner.events import (
    Event,
    LoadProgress,
    Notice,
    PartFinished,
    PartStarted,
    RunStarted,
    StepFinished,
    StepStarted,
)
from qa_runner.report.criteria import measured_text
from qa_runner.verdict import Verdict

FAILED = judged("success_rate == 100 %", 20.0)
UNKNOWN = judged("response_time max < 2 s", None, reason="no request was answered")
STEP = step_result(3, [FAILED, UNKNOWN], verdict=Verdict.FAIL)
EVENTS: list[Event] = [
    RunStarted(0.0, run_result(scope="profile smoke"), "artifacts/x/run-1", 90.0),
    StepStarted(0.0, 3, "Concurrent", 2),
    PartStarted(0.0, 3, "3.1", "Five at once", 10.0),
    LoadProgress(1.0, "3.1", 3, 5, 2, 2, 0.6),
    LoadProgress(1.2, "3.1", 0, None, 0, 1, 0.0),
    Notice(1.0, "step 2 is run \x1b[31mfirst"),
    PartFinished(2.0, 3, STEP.attempts[0].parts[0]),
    StepFinished(2.0, STEP),
]


def shown(events: list[Event] = EVENTS, *, terminal: bool, **environment: str) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=terminal, width=120, highlight=False, _environ=environment
    )
    with view(console, shown=True) as listener:
        for event in events:
            listener(event)
    return out.getvalue()


def test_plain_lines_say_what_happened_and_hold_no_control_characters() -> None:
    text = shown(terminal=False)
    assert "\x1b" not in text
    for words in (
        "profile smoke",
        "faults: slow",
        "run artifacts/x/run-1, about 1 min 30 s\n",
        "Step 3: Concurrent (attempt 2)",
        "✗ FAIL  1.50 s",
        "success_rate == 100 %, measured 20 %",
        "? 1.1-response-time-max: response_time max < 2 s (no request was answered)",
        "step 2 is run <U+001B>[31mfirst",
    ):
        assert words in text


def test_a_terminal_also_shows_what_is_under_way() -> None:
    # The line is drawn ten times a second: what is told last is what is seen.
    text = shown(EVENTS[:4], terminal=True)
    assert "3.1 Five at once" in text
    assert "3/5 sent, 67 % ok" in text
    assert "at least" not in text
    # Time left comes first, since a narrow terminal cuts the end: 90 s less at most the seconds
    # that this took.
    (line,) = [line for line in text.splitlines() if "3/5 sent" in line]
    assert re.search(r"~1:[0-3]\d left .*3\.1 Five at once.*3/5 sent, 67 % ok", line)
    assert "0 sent, 100 % ok" in shown(EVENTS[:5], terminal=True)
    # What an author or a server said never moves the cursor.
    assert "<U+001B>[31mfirst" in shown(terminal=True)


def test_a_narrow_terminal_still_shows_the_time_left() -> None:
    text = shown(EVENTS[:4], terminal=True, COLUMNS="40")
    assert re.search(r"~1:[0-3]\d left", text)


def test_no_color_leaves_the_words_without_colours() -> None:
    assert "\x1b[1;31m" in shown(terminal=True, TERM="xterm-256color")
    plain = shown(terminal=True, TERM="xterm-256color", NO_COLOR="1")
    assert "31m" not in plain.replace("[31mfirst", "")
    assert "FAIL" in plain


def test_nothing_is_shown_where_nothing_was_asked_for() -> None:
    out = io.StringIO()
    with view(Console(file=out), shown=False) as listener:
        for event in EVENTS:
            listener(event)
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("", "✓ PASS  CASE-1  All <U+001B>[31m passed."),
        ("profile smoke", "✓ PASS of profile smoke  CASE-1  All <U+001B>[31m passed."),
    ],
)
def test_the_verdict_says_in_a_line_of_what_and_why(scope: str, words: str) -> None:
    assert verdict_line(run_result(scope=scope, reason="All \x1b[31m passed.")).plain == words


@pytest.mark.parametrize(
    ("value", "beyond", "words"),
    [(None, False, "not measured"), (30.0, True, "not within 30 s"), (0.25, False, "250 ms")],
)
def test_measured_in_words(value: float | None, words: str, *, beyond: bool) -> None:
    assert measured_text(judged("duration < 30 s", value, beyond=beyond)) == words
