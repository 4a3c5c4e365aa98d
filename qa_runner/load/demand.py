"""What a shape asks of a target, as far as the shape alone tells, and what of it is too much."""

from __future__ import annotations

from dataclasses import dataclass

from qa_runner.load.limits import Limits
from qa_runner.load.schedule import expected_requests
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

__all__ = ["Demand", "demand_of", "refusal"]


@dataclass(frozen=True, slots=True)
class Demand:
    """``users`` are virtual users or requests in flight at a time, ``rate`` requests per second.

    None where that depends on the answers; the generator counts then.
    """

    users: int
    rate: float | None
    requests: int | None


def demand_of(shape: Shape) -> Demand:
    """What a shape asks for."""
    return Demand(users=_users(shape), rate=_rate(shape), requests=expected_requests(shape))


def _users(shape: Shape) -> int:  # noqa: PLR0911 (one for each shape)
    match shape:
        case Sequential():
            return 1
        case Burst(requests=count, max_in_flight=most):
            return count if most is None else min(count, most)
        case VirtualUsers(users=users):
            return users
        case RampingVirtualUsers(start_users=start, stages=stages):
            return max(start, *(users for users, _ in stages))
        case Staircase(stairs=stairs):
            return max(stairs)
        case Spike(base_users=base, peak_users=peak):
            return max(base, peak)
        case ConstantArrivalRate(max_in_flight=most) | RampingArrivalRate(max_in_flight=most):
            return min(most, expected_requests(shape) or 0)


def _rate(shape: Shape) -> float | None:
    match shape:
        case ConstantArrivalRate(rate=rate):
            return rate
        case RampingArrivalRate(start_rate=start, stages=stages):
            return max(start, *(rate for rate, _ in stages))
        case _:
            return None


def refusal(shape: Shape, limits: Limits) -> str:
    """Why a single load of this shape is too much, as the end of a sentence; empty if it is not."""
    demand = demand_of(shape)
    if limits.most_users is not None and demand.users > limits.most_users:
        return (
            f"{demand.users:,} users at a time, and the environment {limits.environment} allows "
            f"{limits.most_users:,} (max_users)"
        )
    if limits.most_rate is not None and demand.rate is not None and demand.rate > limits.most_rate:
        return (
            f"{demand.rate:g} req/s, and the environment {limits.environment} allows "
            f"{limits.most_rate:g} (max_rate)"
        )
    return ""
