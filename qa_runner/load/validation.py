"""Which shapes make sense."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from qa_runner.load.shape import (
    ConstantArrivalRate,
    RampingArrivalRate,
    RampingVirtualUsers,
    Shape,
    Spike,
    Staircase,
    VirtualUsers,
)

__all__ = ["validate"]


MOST_USERS = 1_000_000
"""Far more than one machine can open connections for; each takes memory from the start."""


def validate(shape: Shape) -> None:
    """Raise ValueError, in one line, if the shape can't be sent or would never end."""
    for name, value in _quantities(shape):
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} must not be {value:g}")
    users = _most_users(shape)
    if users > MOST_USERS:
        raise ValueError(f"{users:,.0f} users are too many; {MOST_USERS:,} are the most")
    problem = _problem(shape)
    if problem:
        raise ValueError(problem)


def _problem(shape: Shape) -> str:  # noqa: PLR0911 (one for each problem)
    if getattr(shape, "max_in_flight", None) == 0:
        return "max_in_flight must be at least 1"
    think = getattr(shape, "think_time_seconds", 0.0)
    if isinstance(think, tuple) and think[0] > think[1]:
        return f"a think time can't be from {think[0]:g} to {think[1]:g} s"
    match shape:
        case VirtualUsers():
            return _problem_of_users(shape)
        case RampingVirtualUsers(start_users=start, stages=stages):
            return _problem_of_ramp([start, *(users for users, _ in stages)], stages, "users")
        case Staircase(stairs=()) | Staircase(seconds_per_stair=0):
            return "a staircase needs stairs, and each more than 0 s"
        case Spike(base_users=base, peak_users=peak) if peak <= base:
            return f"a spike needs more than the {base} users there are before it"
        case Spike(peak_seconds=0):
            return "a spike needs more than 0 s"
        case ConstantArrivalRate(rate=0):
            return "the arrival rate must be above 0"
        case RampingArrivalRate(start_rate=start, stages=stages):
            return _problem_of_ramp([start, *(rate for rate, _ in stages)], stages, "a rate")
        case _:
            return ""


def _most_users(shape: Shape) -> float:
    match shape:
        case VirtualUsers(users=users):
            return users
        case RampingVirtualUsers(start_users=start, stages=stages):
            return max(start, *(users for users, _ in stages), 0)
        case Staircase(stairs=stairs):
            return max(stairs, default=0)
        case Spike(peak_users=peak):
            return peak
        case _:
            return 0


def _problem_of_users(shape: VirtualUsers) -> str:
    if shape.users == 0:
        return "there must be at least one virtual user"
    if shape.requests is None and shape.requests_per_user is None:
        if shape.duration_seconds is None:
            return "virtual users need a number of requests or a duration"
    elif shape.requests is not None and shape.requests_per_user is not None:
        return "virtual users need requests in all or requests per user, not both"
    return ""


def _problem_of_ramp(
    values: list[float], stages: tuple[tuple[float, float], ...], what: str
) -> str:
    if not sum(seconds for _, seconds in stages):
        return "a ramp needs stages of more than 0 s in all"
    return "" if any(values) else f"a ramp needs {what} above 0 at some time"


def _quantities(shape: Shape) -> Iterator[tuple[str, float]]:
    for name in shape.__struct_fields__:
        yield from ((name, number) for number in _numbers(getattr(shape, name)))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, tuple):
        for single in value:
            yield from _numbers(single)
    elif value is not None:
        yield float(value)
