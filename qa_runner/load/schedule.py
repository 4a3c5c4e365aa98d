"""When requests are due: pure and clock-free, apart from any sending.

Offsets are seconds since the start of the load. An open shape is an iterator of due offsets; a
closed one says how many virtual users there are from when on, and when they stop.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

from qa_runner.load.ramp import arrivals, total_arrivals, user_changes
from qa_runner.load.shape import (
    Burst,
    ConstantArrivalRate,
    RampingArrivalRate,
    RampingVirtualUsers,
    Sequential,
    Shape,
    Spike,
    Staircase,
    ThinkTime,
    VirtualUsers,
)

__all__ = [
    "ClosedSchedule",
    "ClosedShape",
    "OpenShape",
    "Stage",
    "closed_schedule",
    "due_offsets",
    "expected_requests",
    "minimum_seconds",
    "stage_tags",
]

OpenShape = Burst | ConstantArrivalRate | RampingArrivalRate
ClosedShape = Sequential | VirtualUsers | RampingVirtualUsers | Staircase | Spike


@dataclass(frozen=True, slots=True)
class Stage:
    """From ``offset`` seconds on there are ``users``; what is due meanwhile carries ``tag``."""

    offset: float
    users: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ClosedSchedule:
    """A closed model.

    ``stages`` are in order of their offsets, the first at 0. Nothing is due from ``seconds`` on
    (None: no limit in time), and no more than ``requests`` in all or ``requests_per_user`` by
    each (None: no limit in number). A user is ready again ``think_seconds`` after each answer.
    """

    stages: tuple[Stage, ...]
    seconds: float | None = None
    requests: int | None = None
    requests_per_user: int | None = None
    think_seconds: ThinkTime = 0.0


def due_offsets(shape: OpenShape) -> Iterator[float]:
    """The due offsets of an open shape, in seconds, never decreasing."""
    match shape:
        case Burst(requests=count, stagger_seconds=stagger, repeat=repeat, every_seconds=every):
            bursts = ((first * every, count, stagger) for first in range(repeat))
            # With a long stagger one burst can begin before the last has ended.
            return heapq.merge(*(_burst(*burst) for burst in bursts))
        case ConstantArrivalRate(rate=rate):
            # Divided rather than summed, so that no rounding error builds up.
            return (index / rate for index in range(_arrivals(shape)))
        case RampingArrivalRate(start_rate=rate, stages=stages):
            return arrivals(rate, stages)


def _burst(start: float, count: int, stagger: float) -> Iterator[float]:
    return (start + index * stagger for index in range(count))


def _arrivals(shape: ConstantArrivalRate) -> int:
    return round(shape.rate * shape.duration_seconds)


def closed_schedule(shape: ClosedShape) -> ClosedSchedule:
    """How a closed shape goes."""
    match shape:
        case Sequential(requests=count, pause_seconds=pause):
            return ClosedSchedule((Stage(0.0, 1),), requests=count, think_seconds=pause)
        case VirtualUsers(users=users, ramp_up_seconds=ramp):
            entering = (Stage(ramp * before / users, before + 1) for before in range(users))
            return ClosedSchedule(
                tuple(entering) if ramp else (Stage(0.0, users),),
                seconds=shape.duration_seconds,
                requests=shape.requests,
                requests_per_user=shape.requests_per_user,
                think_seconds=shape.think_time_seconds,
            )
        case RampingVirtualUsers(start_users=start, stages=parts):
            return ClosedSchedule(
                tuple(Stage(offset, users) for offset, users in user_changes(start, parts)),
                seconds=_seconds(parts),
                think_seconds=shape.think_time_seconds,
            )
        case Staircase(stairs=stairs, seconds_per_stair=seconds):
            stages = tuple(
                Stage(index * seconds, users, f"users:{users}")
                for index, users in enumerate(stairs)
            )
            return ClosedSchedule(stages, seconds=len(stairs) * seconds)
        case Spike(base_users=base, before_seconds=before, peak_seconds=peak):
            end = before + peak
            stages = (
                Stage(0.0, base, "phase:before"),
                Stage(before, shape.peak_users, "phase:spike"),
                Stage(end, base, "phase:after"),
            )
            return ClosedSchedule(
                stages,
                seconds=end + shape.after_seconds,
                think_seconds=shape.think_time_seconds,
            )


def _seconds(stages: tuple[tuple[float, float], ...]) -> float:
    return sum(seconds for _, seconds in stages)


def stage_tags(shape: Shape) -> tuple[str, ...]:
    """The tags of a shape's stages, by the number of the stage; ``("",)`` where it has none."""
    if isinstance(shape, OpenShape):
        return ("",)
    return tuple(stage.tag for stage in closed_schedule(shape).stages)


def expected_requests(shape: Shape) -> int | None:  # noqa: PLR0911 (one for each shape)
    """How many requests will be due; None where that depends on the answers."""
    match shape:
        case Sequential(requests=count):
            return count
        case Burst(requests=count, repeat=repeat):
            return count * repeat
        case VirtualUsers(duration_seconds=None, requests=None, requests_per_user=int() as each):
            return each * shape.users
        case VirtualUsers(duration_seconds=None):
            return shape.requests
        case ConstantArrivalRate():
            return _arrivals(shape)
        case RampingArrivalRate(start_rate=rate, stages=stages):
            return total_arrivals(rate, stages)
        case _:
            return None


def minimum_seconds(shape: Shape) -> float:
    """How long the load takes by its schedule alone, if every answer came at once.

    Of think times that vary the least counts, and a ramp-up only for requests per user: with
    shared ones, the first users could take them all.
    """
    match shape:
        case Sequential(requests=count, pause_seconds=pause):
            return max(count - 1, 0) * pause
        case Burst(requests=count, stagger_seconds=stagger, repeat=repeat, every_seconds=every):
            return max(repeat - 1, 0) * every + max(count - 1, 0) * stagger
        case VirtualUsers():
            seconds = shape.duration_seconds
            return min(_least(shape), math.inf if seconds is None else seconds)
        case ConstantArrivalRate(rate=rate):
            return max(_arrivals(shape) - 1, 0) / rate
        case RampingArrivalRate(start_rate=rate, stages=stages):
            last = max(total_arrivals(rate, stages) - 1, 0)
            return next(arrivals(rate, stages, first=last), 0.0)
        case _:
            return closed_schedule(shape).seconds or 0.0


def _least(shape: VirtualUsers) -> float:
    think = shape.think_time_seconds
    least = think[0] if isinstance(think, tuple) else think
    if shape.requests_per_user is not None:
        last_enters = shape.ramp_up_seconds * (shape.users - 1) / shape.users
        return last_enters + max(shape.requests_per_user - 1, 0) * least
    if shape.requests is not None:
        return max(math.ceil(shape.requests / shape.users) - 1, 0) * least
    return math.inf
