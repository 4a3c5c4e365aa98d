from __future__ import annotations

from itertools import permutations

import pytest
from core_samples import run_result, step_result

from qa_runner.verdict import Verdict, combine

_P, _F, _E, _I, _S = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.SKIPPED,
)


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        ((_P, _P), _P),
        ((_P, _I), _I),
        ((_P, _I, _E), _E),
        ((_P, _I, _E, _F), _F),
        ((_S, _P), _P),
        ((_S, _I), _I),
        ((_S, _S), _S),
    ],
)
def test_fail_beats_error_beats_inconclusive_beats_pass_in_any_order(
    verdicts: tuple[Verdict, ...], wanted: Verdict
) -> None:
    assert {combine(order) for order in permutations(verdicts)} == {wanted}


def test_nothing_judged_is_never_green() -> None:
    assert combine([]) is Verdict.INCONCLUSIVE
    assert run_result(steps=[]).judge() is Verdict.INCONCLUSIVE


def test_a_run_of_skipped_steps_only_is_not_green() -> None:
    run = run_result(steps=[step_result(verdict=Verdict.SKIPPED)])
    assert run.judge() is Verdict.SKIPPED


def test_steps_that_do_not_belong_to_the_run_do_not_count() -> None:
    good = step_result(1)
    bad = step_result(2, verdict=Verdict.FAIL, selected=False)
    assert run_result(steps=[good, bad]).judge() is Verdict.PASS
    bad.selected = True
    assert run_result(steps=[good, bad]).judge() is Verdict.FAIL


def test_verdicts_are_written_in_upper_case() -> None:
    assert [f"{verdict}" for verdict in Verdict] == [verdict.name for verdict in Verdict]
