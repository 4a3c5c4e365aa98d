"""The rows of the criteria table."""

from __future__ import annotations

from qa_runner.criteria import CriterionResult, Measurement, judge, parse
from qa_runner.metric import METRICS
from qa_runner.report.criteria import criterion_row


def judged(found: Measurement) -> CriterionResult:
    return judge(parse("duration < 5 s", "3.3", METRICS), found)


def test_what_was_waited_for_in_vain_has_a_full_bar_that_says_so() -> None:
    row = criterion_row(judged(Measurement(value=2.0, beyond=True)), set())
    assert (row["verdict"], row["measured"]) == ("FAIL", "not within 2 s")
    assert (row["bar"]["fill"], row["bar"]["words"]) == ("96.0", "not within 2 s")
    within = criterion_row(judged(Measurement(value=2.0)), set())
    assert within["bar"]["words"].startswith("40")


def test_what_came_instead_of_a_value_is_told_once_and_has_no_bar() -> None:
    came = "no successful answer (HTTP 500 after 3.9 ms)"
    row = criterion_row(judged(Measurement(failed=True, reason=came)), set())
    assert (row["verdict"], row["measured"], row["reason"]) == ("FAIL", came, "")
    assert row["bar"] is None
    row = criterion_row(judged(Measurement(reason="nobody came")), set())
    assert (row["measured"], row["reason"]) == ("not measured", "nobody came")
