"""Callbacks at exact moments: never early, none forgotten, and the loop has its turns."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic

import pytest

from qa_runner.load import alarm_clock
from qa_runner.load.alarm_clock import AlarmClock, Wake
from qa_runner.load.event_loop import new_event_loop

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")


@pytest.fixture(params=["uvloop or asyncio", "asyncio"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop() if request.param == "asyncio" else new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(params=[pytest.param("timerfd", marks=ON_LINUX), "loop"])
def clock(
    request: pytest.FixtureRequest,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AlarmClock]:
    if request.param == "loop":
        monkeypatch.setattr(alarm_clock, "_timer", alarm_clock._LoopTimer)
    clock = AlarmClock(loop)
    yield clock
    clock.close()


def until(loop: asyncio.AbstractEventLoop, condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 20
    while not condition() and monotonic() < deadline:
        loop.run_until_complete(asyncio.sleep(0.005))
    assert condition()


def test_never_early_and_in_order(loop: asyncio.AbstractEventLoop, clock: AlarmClock) -> None:
    begin = monotonic()
    rung: list[tuple[float, float]] = []
    # Those in the past too, and moments that no timer of milliseconds could tell apart.
    moments = [begin + offset / 10_000 for offset in (300, -5000, 7, 0, 300, 301, 6, 90)]
    for moment in moments:
        clock.at(moment, lambda moment=moment: rung.append((moment, monotonic())))  # type: ignore[misc]
    until(loop, lambda: len(rung) == len(moments))
    assert [moment for moment, _ in rung] == sorted(moments)
    assert all(called >= moment for moment, called in rung)


def test_cancelled_is_not_called(loop: asyncio.AbstractEventLoop, clock: AlarmClock) -> None:
    rung: list[str] = []
    soon = monotonic() + 0.01
    wakes = [clock.at(soon, partial(rung.append, name)) for name in "abc"]
    wakes[0].cancel()
    wakes[2].cancel()
    clock.at(soon, wakes[1].cancel)  # too late, and harmless
    clock.at(soon + 0.01, partial(rung.append, "last"))
    until(loop, lambda: "last" in rung)
    assert rung == ["b", "last"]


def test_cancelled_by_one_of_the_same_moment(
    loop: asyncio.AbstractEventLoop, clock: AlarmClock
) -> None:
    rung: list[str] = []
    soon = monotonic() + 0.01
    wakes: list[Wake] = []

    def cancel() -> None:
        wakes[0].cancel()

    clock.at(soon, cancel)
    wakes.append(clock.at(soon, partial(rung.append, "second")))
    clock.at(soon, partial(rung.append, "third"))
    until(loop, lambda: bool(rung))
    assert rung == ["third"]


def test_an_earlier_one_is_not_kept_waiting(
    loop: asyncio.AbstractEventLoop, clock: AlarmClock
) -> None:
    rung: list[str] = []
    clock.at(monotonic() + 3600, partial(rung.append, "later"))
    clock.at(monotonic() + 0.01, partial(rung.append, "sooner"))
    until(loop, lambda: bool(rung))
    assert rung == ["sooner"]


@pytest.mark.parametrize("when", [1e12, 1e18, 1e300, float("inf")])
def test_as_far_away_as_can_be(
    loop: asyncio.AbstractEventLoop, clock: AlarmClock, when: float
) -> None:
    rung: list[str] = []
    clock.at(when, partial(rung.append, "far"))
    loop.run_until_complete(asyncio.sleep(0.01))
    clock.at(monotonic(), partial(rung.append, "now"))
    until(loop, lambda: bool(rung))
    assert rung == ["now"]


def test_the_loop_has_its_turns_however_much_is_due(
    loop: asyncio.AbstractEventLoop, clock: AlarmClock
) -> None:
    """Callbacks that ask for the next at once would go on for ever."""
    turns = 0
    at_turn: list[int] = []

    def again() -> None:
        at_turn.append(turns)
        clock.at(monotonic() - 1, again)

    async def count_turns() -> None:
        nonlocal turns
        while turns < 5:
            turns += 1
            await asyncio.sleep(0.001)

    clock.at(monotonic(), again)
    loop.run_until_complete(asyncio.wait_for(count_turns(), 20))
    assert len(set(at_turn)) > 1


def test_closed_in_a_callback_it_calls_no_more(
    loop: asyncio.AbstractEventLoop, clock: AlarmClock
) -> None:
    rung: list[str] = []
    soon = monotonic() + 0.005
    clock.at(soon, partial(rung.append, "first"))
    clock.at(soon, clock.close)
    clock.at(soon, partial(rung.append, "after"))
    clock.at(soon + 0.001, partial(rung.append, "later"))
    loop.run_until_complete(asyncio.sleep(0.05))
    assert rung == ["first"]
