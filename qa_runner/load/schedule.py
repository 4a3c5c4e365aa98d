"""When requests are due: pure and clock-free, apart from any sending.

Offsets are seconds since the start of the load. An open shape is an iterator of due offsets; a
closed one says how many virtual users there are from when on, and when they stop.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

from qa_runner.load.plan import (
    Burst,
    ConstantArrivalRate,
    Sequential,
    Shape,
    Staircase,
    VirtualUsers,
)

__all__ = [
    "ClosedSchedule",
    "OpenShape",
    "Stage",
    "closed_schedule",
    "due_offsets",
    "expected_requests",
    "minimum_seconds",
    "stage_tags",
    "validate",
]

OpenShape = Burst | ConstantArrivalRate
ClosedShape = Sequential | VirtualUsers | Staircase


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
    (None: no limit in time), and no more than ``requests`` in all (None: no limit in number). A
    user is ready again ``think_seconds`` after each answer.
    """

    stages: tuple[Stage, ...]
    seconds: float | None = None
    requests: int | None = None
    think_seconds: float = 0.0


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


def _burst(start: float, count: int, stagger: float) -> Iterator[float]:
    return (start + index * stagger for index in range(count))


def _arrivals(shape: ConstantArrivalRate) -> int:
    return round(shape.rate * shape.duration_seconds)


def closed_schedule(shape: ClosedShape) -> ClosedSchedule:
    """How a closed shape goes."""
    match shape:
        case Sequential(requests=count, pause_seconds=pause):
            return ClosedSchedule((Stage(0.0, 1),), requests=count, think_seconds=pause)
        case VirtualUsers(users=users, requests=requests, duration_seconds=seconds):
            return ClosedSchedule(
                (Stage(0.0, users),),
                seconds=seconds,
                requests=requests,
                think_seconds=shape.think_time_seconds,
            )
        case Staircase(stairs=stairs, seconds_per_stair=seconds):
            stages = tuple(
                Stage(index * seconds, users, f"users:{users}")
                for index, users in enumerate(stairs)
            )
            return ClosedSchedule(stages, seconds=len(stairs) * seconds)


def stage_tags(shape: Shape) -> tuple[str, ...]:
    """The tags of a shape's stages, by the number of the stage; ``("",)`` where it has none."""
    if isinstance(shape, Burst | ConstantArrivalRate):
        return ("",)
    return tuple(stage.tag for stage in closed_schedule(shape).stages)


def expected_requests(shape: Shape) -> int | None:
    """How many requests will be due; None where that depends on the answers."""
    match shape:
        case Sequential(requests=count):
            return count
        case Burst(requests=count, repeat=repeat):
            return count * repeat
        case VirtualUsers(requests=requests, duration_seconds=seconds):
            return requests if seconds is None else None
        case Staircase():
            return None
        case ConstantArrivalRate():
            return _arrivals(shape)


def minimum_seconds(shape: Shape) -> float:
    """How long the load takes by its schedule alone, if every answer came at once."""
    match shape:
        case Sequential(requests=count, pause_seconds=pause):
            return max(count - 1, 0) * pause
        case Burst(requests=count, stagger_seconds=stagger, repeat=repeat, every_seconds=every):
            return max(repeat - 1, 0) * every + max(count - 1, 0) * stagger
        case VirtualUsers(users=users, requests=requests, duration_seconds=seconds):
            by_count = math.inf
            if requests is not None:
                by_count = max(math.ceil(requests / users) - 1, 0) * shape.think_time_seconds
            return min(by_count, math.inf if seconds is None else seconds)
        case Staircase(stairs=stairs, seconds_per_stair=seconds):
            return len(stairs) * seconds
        case ConstantArrivalRate(rate=rate):
            return max(_arrivals(shape) - 1, 0) / rate


def validate(shape: Shape) -> None:
    """Raise ValueError, in one line, if the shape can't be sent or would never end."""
    for name, value in _quantities(shape):
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} must not be {value:g}")
    problem = _problem(shape)
    if problem:
        raise ValueError(problem)


def _problem(shape: Shape) -> str:
    match shape:
        case VirtualUsers(users=0):
            return "there must be at least one virtual user"
        case VirtualUsers(requests=None, duration_seconds=None):
            return "virtual users need a number of requests or a duration"
        case Staircase(stairs=()) | Staircase(seconds_per_stair=0):
            return "a staircase needs stairs, and each more than 0 s"
        case ConstantArrivalRate(rate=0):
            return "the arrival rate must be above 0"
        case ConstantArrivalRate(max_in_flight=0):
            return "max_in_flight must be at least 1"
        case _:
            return ""


def _quantities(shape: Shape) -> Iterator[tuple[str, float]]:
    for name in shape.__struct_fields__:
        value = getattr(shape, name)
        values = value if isinstance(value, tuple) else (value,)
        yield from ((name, float(single)) for single in values if single is not None)
