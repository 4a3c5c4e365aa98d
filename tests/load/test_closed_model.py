"""The closed model beside its timers: what is ready late belongs where it was due."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import monotonic

import pytest

from qa_runner.load.alarm_clock import AlarmClock
from qa_runner.load.closed_model import ClosedModel
from qa_runner.load.schedule import ClosedSchedule, Stage


class Sent:
    """Takes the place of a load."""

    def __init__(self) -> None:
        self.requests: list[tuple[int, int, float]] = []

    def send(self, user: int, stage: int, due: float) -> None:
        self.requests.append((user, stage, due))

    def retired(self, user: int) -> None:
        pass

    def settle(self) -> None:
        pass

    def drop(self, due: float) -> None:
        raise AssertionError(due)


@pytest.fixture
def clock() -> Iterator[AlarmClock]:
    """One that never rings, since its loop does not run: the tests do it."""
    loop = asyncio.new_event_loop()
    clock = AlarmClock(loop)
    yield clock
    clock.close()
    loop.close()


def begun(clock: AlarmClock, schedule: ClosedSchedule, begin: float) -> tuple[ClosedModel, Sent]:
    sent = Sent()
    model = ClosedModel(clock, schedule, sent)
    model.start(begin)
    return model, sent


def test_ready_before_a_stage_but_told_after_its_timer(clock: AlarmClock) -> None:
    begin = monotonic()
    model, sent = begun(clock, ClosedSchedule((Stage(0, 2), Stage(1, 1), Stage(2, 1))), begin)
    model._begin(1)
    model._begin(2)
    model.ended(0, begin + 0.5, reached=True)
    model.ended(1, begin + 0.9, reached=True)  # user 1 was still there then
    assert sent.requests[2:] == [(0, 0, begin + 0.5), (1, 0, begin + 0.9)]
    model.ended(1, begin + 1.0, reached=True)
    assert len(sent.requests) == 4


def test_ready_after_the_beginning_of_a_stage_but_told_before_its_timer(clock: AlarmClock) -> None:
    begin = monotonic()
    model, sent = begun(clock, ClosedSchedule((Stage(0, 1), Stage(1, 2), Stage(2, 3))), begin)
    model.ended(0, begin + 2.5, reached=True)
    assert sent.requests == [
        (0, 0, begin),
        (1, 1, begin + 1),
        (2, 2, begin + 2),
        (0, 2, begin + 2.5),
    ]


def test_many_stages_at_one_moment_are_one(clock: AlarmClock) -> None:
    stages = tuple(Stage(0.0, users) for users in range(20_000))
    _, sent = begun(clock, ClosedSchedule((*stages, Stage(0.0, 2))), monotonic())
    assert [user for user, _, _ in sent.requests] == [0, 1]
