"""What a case asks for, held against an environment before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from qa_runner.configure import ConfiguredCase, configure
from qa_runner.definition import define
from qa_runner.discovery import find
from qa_runner.errors import TestCaseError, UsageError
from qa_runner.load.demand import Demand, demand_of, refusal
from qa_runner.load.limits import Limits
from qa_runner.load.shape import (
    Burst,
    ConstantArrivalRate,
    RampingArrivalRate,
    RampingVirtualUsers,
    Sequential,
    Shape,
    Spike,
    Staircase,
    VirtualUsers,
)
from qa_runner.protection.caps import check_case
from qa_runner.testcase import Param, Step, TestCase, part


@pytest.mark.parametrize(
    ("shape", "demand"),
    [
        (Sequential(requests=7), Demand(1, None, 7)),
        (Burst(requests=15, repeat=4, every_seconds=5), Demand(15, None, 60)),
        (Burst(requests=15, max_in_flight=3), Demand(3, None, 15)),
        (VirtualUsers(users=50, requests=200), Demand(50, None, 200)),
        (VirtualUsers(users=50, duration_seconds=9), Demand(50, None, None)),
        (RampingVirtualUsers(start_users=3, stages=((8, 5), (2, 5))), Demand(8, None, None)),
        (Staircase(stairs=(1, 20, 10), seconds_per_stair=1), Demand(20, None, None)),
        (
            Spike(base_users=2, peak_users=9, before_seconds=1, peak_seconds=1, after_seconds=1),
            Demand(9, None, None),
        ),
        (ConstantArrivalRate(rate=2, duration_seconds=120), Demand(50, 2, 240)),
        (ConstantArrivalRate(rate=2, duration_seconds=10), Demand(20, 2, 20)),
        (RampingArrivalRate(start_rate=4, stages=((1, 2),), max_in_flight=3), Demand(3, 4, 5)),
    ],
)
def test_what_a_shape_asks_for(shape: Shape, demand: Demand) -> None:
    assert demand_of(shape) == demand


def test_a_single_load_that_asks_for_too_much() -> None:
    limits = Limits(environment="staging", most_users=10, most_rate=3.0)
    assert "15 users at a time" in refusal(Burst(requests=15), limits)
    assert "4 req/s" in refusal(ConstantArrivalRate(rate=4, duration_seconds=1), limits)
    assert refusal(Burst(requests=10), limits) == ""
    assert refusal(Burst(requests=1000), Limits()) == ""


def purchase(steps: Sequence[str] = (), settings: Sequence[str] = ()) -> ConfiguredCase:
    return configure(find("PURCHASE-006"), profile="full", steps=steps, settings=settings)


def test_the_whole_case_fits_where_nothing_is_limited() -> None:
    check_case(purchase(), Limits())


def test_each_part_that_asks_for_too_many_users_is_named_with_its_remedy() -> None:
    limits = Limits(environment="staging", most_users=20)
    with pytest.raises(UsageError) as caught:
        check_case(purchase(), limits)
    message = str(caught.value)
    assert message.startswith("the environment staging allows 20 users at a time (max_users): ")
    remedies = [
        "3.3.requests=20",
        "3.4.stairs=1,2,5,10,20",
        "4.1.max_in_flight=20",
        "6.2.requests=20",
        "7.1.users=20",
        "8.1.users=20",
    ]
    for remedy in remedies:
        assert f"(--set {remedy})" in message
    assert "part 3.2" not in message
    assert "\n" not in message
    check_case(purchase(settings=remedies), limits)


def test_only_parts_that_will_run_are_looked_at() -> None:
    limits = Limits(most_users=20)
    check_case(purchase(["3.1", "2"]), limits)
    with pytest.raises(UsageError, match=r"part 3\.3 asks for 50"):
        check_case(purchase(["3.3"]), limits)


def test_a_step_that_is_run_first_for_its_facts_counts_too() -> None:
    settings = ["8.1.users=1", "8.1.requests=1"]
    check_case(purchase(["8.1"], settings), Limits(most_requests=37))
    with pytest.raises(UsageError, match="sends 37 or more"):
        check_case(purchase(["8.1"], settings), Limits(most_requests=36))


def test_too_high_a_rate() -> None:
    limits = Limits(environment="qa", most_rate=0.5)
    with pytest.raises(UsageError, match=r"part 4\.1 asks for 2 \(--set 4\.1\.rate=0\.5\)"):
        check_case(purchase(["4"]), limits)
    check_case(purchase(["4"], ["4.1.rate=0.5"]), limits)


def test_too_many_requests_in_all() -> None:
    limits = Limits(environment="qa", most_requests=300)
    with pytest.raises(UsageError) as caught:
        check_case(purchase(["3.1", "4.1", "7.1"]), limits)
    message = str(caught.value)
    assert "allows 300 requests in a session (max_requests)" in message
    assert "sends 446 or more: part 4.1 for 240 of them (--set 4.1.rate=0.783)" in message
    check_case(purchase(["3.1", "4.1", "7.1"], ["4.1.rate=0.783"]), limits)


def case_of(**settings: object) -> type[TestCase]:
    class Only(Step):
        """One."""

        number = 1
        title = "Only"
        figure = "01_only"

        @part("1.1", "One", requests=Param(3), **settings)  # type: ignore[arg-type]
        def one(self, ctx: object, requests: int) -> None:
            """Nothing."""

    class Case(TestCase):
        """A case."""

        id = "C-1"
        name = "C"
        description = "C"
        steps = (Only,)

    return Case


@pytest.mark.parametrize(
    ("loads", "words"),
    [
        (lambda rate: Burst(requests=rate), "loads= does not fit its parameters"),
        (lambda requests: requests, "loads= does not fit its parameters"),
        (lambda requests: (requests,), "loads= gives 3, which is no shape of load"),
    ],
)
def test_loads_that_make_no_sense_are_found_when_the_case_is_loaded(
    loads: object, words: str
) -> None:
    with pytest.raises(TestCaseError, match=words):
        define(case_of(loads=loads), "here")


def test_loads_that_do_not_fit_other_values_are_one_line() -> None:
    def loads(requests: int) -> Burst:
        return Burst(requests={3: 3}[requests])

    definition = define(case_of(loads=loads), "here")
    case = configure(definition, profile="full", steps=(), settings=["1.1.requests=4"])
    with pytest.raises(TestCaseError, match=r"part 1\.1: loads= fails"):
        check_case(case, Limits(most_users=1))
    check_case(case, Limits())
