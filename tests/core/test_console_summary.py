"""What a run came to, on the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from core_samples import judged, run_result, step_result

from qa_runner.console import make_console
from qa_runner.console_findings import print_findings
from qa_runner.console_summary import print_summary
from qa_runner.result import StepResult
from qa_runner.verdict import Verdict

FAILED = judged("success_rate == 100 %", 20.0)
UNKNOWN = judged("response_time max < 2 s", None, reason="no request was answered")
PASSED = judged("error_rate < 2 %", 0.0)


def summary(steps: Sequence[StepResult], **changes: Any) -> list[str]:
    out = io.StringIO()
    print_summary(make_console(out), run_result(steps=list(steps), **changes))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_failures_first_then_the_steps_in_a_line_and_the_verdict() -> None:
    lines = summary(
        [
            step_result(1),
            step_result(2, [], attempts=0, verdict=Verdict.SKIPPED, selected=False),
            step_result(3, [UNKNOWN, FAILED, PASSED], verdict=Verdict.FAIL),
            step_result(4, selected=False),
            step_result(5, [FAILED], verdict=Verdict.FAIL, selected=False),
        ],
        verdict=Verdict.FAIL,
        scope="profile smoke",
        reason="1 of 3 criteria failed.",
    )
    assert lines[2].split() == ["✗", "FAIL", "1.1-success-rate", "==", "100", "%", "20", "%"]
    assert lines[3].endswith("not measured")
    assert lines[5] == ("steps  ✓ 1  ✗ 3 Step (1 of 3)  ✓ 4  ✗ 5 Step (prerequisite) (0 of 1)")
    assert lines[7:] == ["✗ FAIL of profile smoke  CASE-1  1 of 3 criteria failed."]


def test_where_everything_passed_each_step_has_a_line() -> None:
    lines = summary(
        [step_result(1), step_result(3, [PASSED, PASSED]), step_result(4, selected=False)]
    )
    assert [line.split() for line in lines[1:5]] == [
        ["verdict", "step", "criteria", "passed"],
        ["✓", "PASS", "1", "Step", "1", "of", "1"],
        ["✓", "PASS", "3", "Step", "2", "of", "2"],
        ["✓", "PASS", "4", "Step", "(prerequisite)", "1", "of", "1"],
    ]


def test_a_title_is_words_and_no_markup() -> None:
    title = "Search [/api] \x1b[31m\u202e"
    for judgement in (PASSED, FAILED):
        step = step_result(1, [judgement], verdict=judgement.verdict)
        step.title = title
        text = "\n".join(summary([step], verdict=judgement.verdict))
        assert "Search [/api] <U+001B>[31m<U+202E>" in text


def test_a_run_that_ended_before_its_first_step_has_no_line_for_any() -> None:
    open_ = [step_result(number, [], attempts=0, verdict=Verdict.INCONCLUSIVE) for number in (1, 2)]
    stopped = {"verdict": Verdict.INCONCLUSIVE, "reason": "Stopped: a rate limit answers."}
    assert summary(open_, **stopped) == [
        "",
        "? INCONCLUSIVE  CASE-1  Stopped: a rate limit answers.",
    ]
    # Once one was begun, those that were not reached are told.
    told = "\n".join(summary([step_result(3), *open_], **stopped))
    assert told.count("0 of 0") == 2


def test_the_whole_story_has_twenty_lines_however_much_failed() -> None:
    out = io.StringIO()
    console = make_console(out)
    steps = [step_result(number, [FAILED] * 9, verdict=Verdict.FAIL) for number in range(1, 9)]
    print_summary(console, run_result(steps=steps, verdict=Verdict.FAIL))
    rows = [
        {"sentence": f"Cause {number}.", "remedy": "Do this.", "likely": True}
        for number in range(5)
    ]
    print_findings(console, rows)
    console.print("report artifacts/case-1/run-1/report.html")
    text = out.getvalue()
    assert len(text.splitlines()) <= 20
    assert "and 64 more, which the report has\n" in text
    assert "Cause 1." in text
