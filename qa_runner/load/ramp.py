"""Straight lines from stage to stage, as whole users and as whole arrivals: pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

__all__ = ["arrivals", "total_arrivals", "user_changes"]

Stages = tuple[tuple[float, float], ...]
"""Value at the end of the stage, and its seconds."""


def user_changes(start: int, stages: tuple[tuple[int, float], ...]) -> Iterator[tuple[float, int]]:
    """The number of users from which offset (seconds) on; the first is at 0.

    One at a time, when the line through the stages passes the middle between two whole numbers:
    from a to b in T seconds, the k-th of ``abs(b - a)`` changes is at ``T * (k - 1/2) / abs(b -
    a)``. So there are never more than half a user too many or too few.
    """
    yield 0.0, start
    begin, users = 0.0, start
    for target, seconds in stages:
        changes = abs(target - users)
        step = 1 if target > users else -1
        if seconds > 0:
            for k in range(1, changes + 1):
                yield begin + seconds * (k - 0.5) / changes, users + step * k
        elif changes:
            yield begin, target
        begin, users = begin + seconds, target


def total_arrivals(start: float, stages: Stages) -> int:
    """How many requests are due: the area under the line, rounded."""
    return round(_areas(start, stages)[-1])


def arrivals(start: float, stages: Stages, first: int = 0) -> Iterator[float]:
    """When each request is due, in seconds from the start; those from the ``first`` on.

    The k-th (from 0) is due when the area under the rate reaches k, the first at once. In a stage
    that begins with the area A and the rate r, and whose rate changes by s each second, that is
    after x seconds with ``r x + s x² / 2 = k - A``, so ``x = 2 m / (r + sqrt(r² + 2 s m))`` with
    ``m = k - A``: the quadratic formula in the form that loses no digits when s is small. Each is
    computed on its own, so no error adds up. Where the rate stays at 0, the next request waits
    for its end.
    """
    areas = _areas(start, stages)
    begin, rate, count = 0.0, start, round(areas[-1])
    index = first
    for area, until, (target, seconds) in zip(areas, areas[1:], stages, strict=False):
        slope = (target - rate) / seconds if seconds else 0.0
        while index < min(until, count):
            left = max(index - area, 0.0)
            root = math.sqrt(max(rate * rate + 2 * slope * left, 0.0))
            # At the beginning of a rate from 0, both are 0.
            after = 2 * left / (rate + root) if left else 0.0
            yield begin + min(after, seconds)
            index += 1
        begin, rate = begin + seconds, target


def _areas(start: float, stages: Stages) -> list[float]:
    """The area under the line at the beginning of each stage, and at the end of the last."""
    rates = (start, *(rate for rate, _ in stages))
    pieces = [
        (before + after) / 2 * seconds
        for before, after, (_, seconds) in zip(rates, rates[1:], stages, strict=False)
    ]
    return [math.fsum(pieces[:count]) for count in range(len(pieces) + 1)]
