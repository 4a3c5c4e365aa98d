"""Ramps, spikes and counts per user: what the pure schedules promise, for any numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.load.plan import (
    Burst,
    RampingArrivalRate,
    RampingVirtualUsers,
    Shape,
    Spike,
    VirtualUsers,
    describe,
)
from qa_runner.load.schedule import (
    ClosedSchedule,
    closed_schedule,
    due_offsets,
    expected_requests,
    minimum_seconds,
    stage_tags,
)
from qa_runner.load.validation import validate

durations = st.one_of(st.just(0.0), st.floats(0.001, 60))
ramps = st.builds(
    RampingVirtualUsers,
    start_users=st.integers(0, 30),
    stages=st.lists(st.tuples(st.integers(0, 60), durations), min_size=1, max_size=5).map(tuple),
)
rate = st.one_of(st.just(0.0), st.floats(0.01, 60))
rate_ramps = st.builds(
    RampingArrivalRate,
    start_rate=rate,
    stages=st.lists(st.tuples(rate, durations), min_size=1, max_size=5).map(tuple),
)


def users_at(schedule: ClosedSchedule, time: float) -> int:
    return [stage.users for stage in schedule.stages if stage.offset <= time][-1]


def line_at(start: float, stages: tuple[tuple[float, float], ...], time: float) -> float:
    """The height of the line through the stages."""
    begin, height = 0.0, start
    for target, seconds in stages:
        if time < begin + seconds:
            return height + (target - height) * (time - begin) / seconds
        begin, height = begin + seconds, target
    return height


def area_until(shape: RampingArrivalRate, time: float) -> float:
    """The area under the line, by trapezoids."""
    begin, height, area = 0.0, shape.start_rate, 0.0
    for target, seconds in shape.stages:
        span = min(max(time - begin, 0.0), seconds)
        if span > 0:
            end = height + (target - height) * span / seconds
            area += (height + end) / 2 * span
        begin, height = begin + seconds, target
    return area


@given(ramps, st.floats(0, 1))
def test_users_follow_the_line_within_half_a_user(shape: RampingVirtualUsers, share: float) -> None:
    schedule = closed_schedule(shape)
    assert schedule.seconds is not None
    time = schedule.seconds * share
    near = {users_at(schedule, time + shift) for shift in (-1e-9, 0.0, 1e-9) if time + shift >= 0}
    line = line_at(shape.start_users, shape.stages, time)
    lines = (line, line_at(shape.start_users, shape.stages, max(time - 1e-9, 0.0)))
    assert any(abs(users - height) <= 0.5 + 1e-6 for users in near for height in lines)


@given(ramps)
def test_users_enter_and_leave_one_at_a_time_but_for_jumps(shape: RampingVirtualUsers) -> None:
    stages = closed_schedule(shape).stages
    assert stages[0].offset == 0
    assert all(before.offset <= after.offset for before, after in pairwise(stages))
    assert stages[-1].users == shape.stages[-1][0]
    jumps = sum(seconds == 0 for _, seconds in shape.stages)
    large = sum(abs(after.users - before.users) != 1 for before, after in pairwise(stages))
    assert large <= jumps


def test_moments_of_a_ramp_are_even() -> None:
    schedule = closed_schedule(RampingVirtualUsers(stages=((4, 8.0), (4, 1.0), (2, 2.0), (0, 0))))
    moments = [(stage.offset, stage.users) for stage in schedule.stages]
    assert moments == [(0, 0), (1, 1), (3, 2), (5, 3), (7, 4), (9.5, 3), (10.5, 2), (11, 0)]
    assert schedule.seconds == 11


@given(st.integers(1, 200), st.floats(0.01, 100))
def test_users_of_a_ramp_up_enter_evenly_from_the_first_on(users: int, seconds: float) -> None:
    stages = closed_schedule(VirtualUsers(users=users, requests=1, ramp_up_seconds=seconds)).stages
    assert [stage.users for stage in stages] == list(range(1, users + 1))
    assert [stage.offset for stage in stages] == pytest.approx(
        [seconds * k / users for k in range(users)]
    )


@given(rate_ramps)
def test_arrivals_have_the_exact_count_and_never_decrease(shape: RampingArrivalRate) -> None:
    offsets = list(due_offsets(shape))
    seconds = sum(part for _, part in shape.stages)
    assert len(offsets) == expected_requests(shape)
    assert abs(len(offsets) - area_until(shape, seconds)) <= 0.5 + 1e-6
    assert all(before <= after for before, after in pairwise(offsets))
    assert all(0 <= offset <= seconds + 1e-9 for offset in offsets)
    assert minimum_seconds(shape) == (offsets[-1] if offsets else 0.0)


@given(rate_ramps)
def test_each_arrival_is_due_when_the_area_reaches_its_number(shape: RampingArrivalRate) -> None:
    for number, offset in enumerate(due_offsets(shape)):
        assert area_until(shape, offset) == pytest.approx(number, abs=1e-6)


@given(rate_ramps, st.floats(0, 1), st.floats(0, 1))
def test_as_many_arrivals_in_any_window_as_the_area_over_it(
    shape: RampingArrivalRate, one: float, other: float
) -> None:
    seconds = sum(part for _, part in shape.stages)
    begin, end = sorted((one * seconds, other * seconds))
    within = sum(begin <= offset < end for offset in due_offsets(shape))
    area = area_until(shape, end) - area_until(shape, begin)
    assert abs(within - area) <= 1.5 + 1e-6  # one by the edges, one half by the rounded count


def test_a_constant_ramp_is_a_constant_rate_without_drift() -> None:
    offsets = list(due_offsets(RampingArrivalRate(start_rate=3, stages=((3, 1000),))))
    assert len(offsets) == 3000
    assert offsets[2999] == pytest.approx(2999 / 3, rel=1e-15)


def test_a_rate_of_zero_is_waited_for() -> None:
    shape = RampingArrivalRate(start_rate=0, stages=((0, 5), (2, 0), (2, 2), (0, 0), (0, 3)))
    assert list(due_offsets(shape)) == [5, 5.5, 6, 6.5]
    assert minimum_seconds(shape) == 6.5


def test_spike_has_three_phases() -> None:
    shape = Spike(base_users=2, peak_users=50, before_seconds=5, peak_seconds=3, after_seconds=10)
    schedule = closed_schedule(shape)
    assert [(stage.offset, stage.users) for stage in schedule.stages] == [(0, 2), (5, 50), (8, 2)]
    assert stage_tags(shape) == ("phase:before", "phase:spike", "phase:after")
    assert (schedule.seconds, minimum_seconds(shape)) == (18, 18)


@pytest.mark.parametrize(
    ("shape", "requests", "least"),
    [
        (VirtualUsers(users=5, requests_per_user=3, think_time_seconds=2), 15, 4),
        (VirtualUsers(users=4, requests_per_user=2, ramp_up_seconds=8), 8, 6),
        (
            VirtualUsers(users=4, requests_per_user=2, duration_seconds=1, ramp_up_seconds=8),
            None,
            1,
        ),
        (VirtualUsers(users=2, requests=4, think_time_seconds=(1, 3)), 4, 1),
        (RampingVirtualUsers(stages=((10, 5), (0, 5))), None, 10),
        (RampingArrivalRate(stages=((10, 10),)), 50, (2 * 49) ** 0.5),
    ],
)
def test_count_and_least_duration_of_more_shapes(
    shape: Shape, requests: int | None, least: float
) -> None:
    validate(shape)
    assert expected_requests(shape) == requests
    assert minimum_seconds(shape) == pytest.approx(least)


BAD = {
    "both counts": (VirtualUsers(users=1, requests=1, requests_per_user=1), "not both"),
    "no end": (VirtualUsers(users=1, ramp_up_seconds=1), "a number of requests or a duration"),
    "think": (VirtualUsers(users=1, requests=1, think_time_seconds=(2, 1)), "from 2 to 1 s"),
    "negative think": (
        VirtualUsers(users=1, requests=1, think_time_seconds=(-1, 1)),
        "think_time_seconds must not be -1",
    ),
    "no users": (RampingVirtualUsers(stages=((0, 5),)), "users above 0"),
    "no stages": (RampingVirtualUsers(start_users=1, stages=()), "more than 0 s in all"),
    "no time": (RampingArrivalRate(stages=((5, 0),)), "more than 0 s in all"),
    "no rate": (RampingArrivalRate(stages=((0, 5),)), "a rate above 0"),
    "nan": (RampingArrivalRate(stages=((float("nan"), 5),)), "stages must not be nan"),
    "limit": (Burst(requests=1, max_in_flight=0), "max_in_flight must be at least 1"),
    "ramp limit": (RampingArrivalRate(stages=((1, 1),), max_in_flight=0), "at least 1"),
    "flat spike": (
        Spike(base_users=5, peak_users=5, before_seconds=1, peak_seconds=1, after_seconds=1),
        "more than the 5 users",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_shapes_that_make_no_sense_are_one_line(case: str) -> None:
    shape, said = BAD[case]
    with pytest.raises(ValueError, match=said):
        validate(shape)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (
            VirtualUsers(
                users=1, requests_per_user=3, ramp_up_seconds=2, think_time_seconds=(1, 2)
            ),
            "1 virtual user, 3 requests each, entering over 2 s, 1 to 2 s think time",
        ),
        (
            RampingVirtualUsers(stages=((10, 5), (2, 0)), think_time_seconds=0.5),
            "ramping virtual users, from 0 users to 10 in 5 s, to 2 at once, 0.5 s think time",
        ),
        (
            Spike(base_users=1, peak_users=9, before_seconds=1, peak_seconds=2, after_seconds=3),
            "spike from 1 virtual user to 9 for 2 s, 1 s before and 3 s after it",
        ),
        (
            RampingArrivalRate(start_rate=1, stages=((2.5, 4),)),
            "ramping arrival rate, from 1 req/s to 2.5 in 4 s",
        ),
        (Burst(requests=9, max_in_flight=3), "burst of 9, at most 3 in flight"),
    ],
)
def test_shapes_in_words(shape: Shape, words: str) -> None:
    assert describe(shape) == words
