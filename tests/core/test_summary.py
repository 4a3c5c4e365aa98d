from __future__ import annotations

import msgspec
import pytest
from core_samples import judged, run_result, step_result

from qa_runner.criteria import CriterionResult
from qa_runner.result import StepResult
from qa_runner.summary import reason_for
from qa_runner.verdict import Verdict

GOOD = judged("success_rate == 100 %", 100.0)
SLOW = judged("duration < 5 s", 9.0)
LATE = judged("response_time max < 5 s", 9.0)
MISSING = judged("server_cpu p(95) < 80 %", None)
SPOILT = judged("error_rate < 30 %", 50.0, invalid=True)


def step(number: int, *criteria: CriterionResult, selected: bool = True) -> StepResult:
    verdict = max(
        (c.verdict for c in criteria),
        key=[Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAIL].index,
        default=Verdict.ERROR,
    )
    return step_result(number, list(criteria), verdict=verdict, selected=selected)


def reason(*steps: StepResult, **changes: object) -> str:
    run = run_result(steps=list(steps), **changes)
    run.verdict = run.judge()
    return reason_for(run)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((step(1, GOOD), step(2, GOOD)), "All 2 criteria passed."),
        ((step(1, GOOD, SLOW),), "1 of 2 criteria failed: 1.1-duration."),
        (
            (step(1, GOOD, SLOW, LATE), step(2, SLOW, SLOW)),
            "4 of 5 criteria failed: 1.1-duration, 1.1-response-time-max, 1.1-duration and 1 more.",
        ),
        ((step(1, GOOD, MISSING),), "1 of 2 criteria could not be measured: 1.1-server-cpu-p95."),
        ((step(1, GOOD, SPOILT),), "1 of 2 criteria could not be judged: 1.1-error-rate."),
        ((step(1, SLOW, MISSING, SPOILT),), "1 of 3 criteria failed: 1.1-duration."),
        ((step(1, GOOD), step(2)), "Step 2 could not be judged."),
        ((step(1, GOOD), step(2, SLOW, selected=False)), "The only criterion passed."),
        ((), "No criterion was judged."),
        ((step(1),), "No criterion was judged."),
    ],
)
def test_the_reason_names_what_decided(steps: tuple[StepResult, ...], said: str) -> None:
    assert reason(*steps) == said


def test_skipped_criteria_do_not_count() -> None:
    skipped = judged("duration < 5 s", None)
    listed = [GOOD, msgspec.structs.replace(skipped, verdict=Verdict.SKIPPED)]
    assert reason(step_result(1, listed)) == "The only criterion passed."


@pytest.mark.parametrize(
    ("status", "why", "said"),
    [
        ("interrupted", "by Ctrl-C", "Interrupted by Ctrl-C."),
        ("interrupted", "by SIGTERM", "Interrupted by SIGTERM."),
        ("crashed", "the server is gone", "Ended early: the server is gone."),
        ("crashed", "refused; is it running?", "Ended early: refused; is it running."),
        ("stopped", "too many errors.", "Stopped: too many errors."),
    ],
)
def test_a_run_that_did_not_end_says_why(status: str, why: str, said: str) -> None:
    assert reason(status=status, stop_reason=why) == said
    # It comes before what the criteria that were judged say.
    counted = f"{said} 0 of 1 criteria passed, 1 failed."
    assert reason(step(1, SLOW), status=status, stop_reason=why) == counted


def test_a_run_that_did_not_end_counts_what_passed_of_all() -> None:
    ended = {"status": "interrupted", "stop_reason": "by Ctrl-C"}
    said = reason(step(1, GOOD, SLOW, SPOILT), step(2, GOOD, MISSING, MISSING), **ended)
    assert said == (
        "Interrupted by Ctrl-C. 2 of 6 criteria passed, 1 failed, 1 could not be judged, "
        "2 could not be measured."
    )
    not_selected = step(2, MISSING, selected=False)
    assert reason(step(1, GOOD), not_selected, **ended).endswith(" 1 of 1 criteria passed.")


@pytest.mark.parametrize(
    ("excluded", "said"),
    [
        ([], "All 2 criteria passed."),
        (["1.1-x: none"], "All 2 criteria passed; 1 more does not apply to this target."),
        (["a: b", "c: d"], "All 2 criteria passed; 2 more do not apply to this target."),
    ],
)
def test_criteria_that_do_not_apply_are_no_part_of_all(excluded: list[str], said: str) -> None:
    assert reason(step(1, GOOD), step(2, GOOD), excluded=excluded) == said


def test_criteria_that_do_not_apply_are_no_part_of_what_failed() -> None:
    said = reason(step(1, GOOD, SLOW), excluded=["a: b"])
    assert said == "1 of 2 criteria failed: 1.1-duration."
