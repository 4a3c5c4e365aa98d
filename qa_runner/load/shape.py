"""The shapes of load: how many requests or virtual users, when. Values only; see schedule.py."""

from __future__ import annotations

import msgspec

__all__ = [
    "Burst",
    "ConstantArrivalRate",
    "RampingArrivalRate",
    "RampingVirtualUsers",
    "Sequential",
    "Shape",
    "Spike",
    "Staircase",
    "ThinkTime",
    "VirtualUsers",
    "describe",
]

ThinkTime = float | tuple[float, float]
"""Seconds, or the least and the most of them: drawn evenly between these for each user, in a
sequence that is the same whenever a load of this number is sent again."""


class Sequential(msgspec.Struct, frozen=True, kw_only=True, tag="sequential"):
    """One request after the other, with a pause after each answer."""

    requests: int
    pause_seconds: float = 0.0


class Burst(msgspec.Struct, frozen=True, kw_only=True, tag="burst"):
    """Requests due together, or ``stagger_seconds`` apart; ``repeat`` bursts, ``every_seconds``.

    An open model: a request is due whatever became of the ones before it. With ``max_in_flight``
    unanswered (None: no limit), what is due is dropped.
    """

    requests: int
    stagger_seconds: float = 0.0
    repeat: int = 1
    every_seconds: float = 0.0
    max_in_flight: int | None = None


class VirtualUsers(msgspec.Struct, frozen=True, kw_only=True, tag="virtual-users"):
    """A closed model: each user sends, waits for the answer, thinks, and sends again.

    A user whose connection failed waits for at least 0.1 s.

    Ends after ``requests`` in all (shared: who is ready takes the next), or after
    ``requests_per_user`` by each user, or after ``duration_seconds``, whichever comes first; the
    requests in flight at the end are awaited. The users enter evenly over ``ramp_up_seconds``,
    the first at once.
    """

    users: int
    requests: int | None = None
    requests_per_user: int | None = None
    duration_seconds: float | None = None
    think_time_seconds: ThinkTime = 0.0
    ramp_up_seconds: float = 0.0


class RampingVirtualUsers(msgspec.Struct, frozen=True, kw_only=True, tag="ramping-virtual-users"):
    """Virtual users whose number goes in straight lines from stage to stage.

    ``stages`` are pairs of the number of users at the end of the stage, and its seconds; 0 s is
    a jump. At any time there are as many users as the line says, rounded to the nearest whole
    number (up, at one half), so that they enter and leave one at a time at even moments. A user
    that leaves gets the answer to its request first.
    """

    start_users: int = 0
    stages: tuple[tuple[int, float], ...]
    think_time_seconds: ThinkTime = 0.0


class Staircase(msgspec.Struct, frozen=True, kw_only=True, tag="staircase"):
    """Virtual users in stairs; the samples of each stair carry the tag ``users:N``."""

    stairs: tuple[int, ...]
    seconds_per_stair: float


class Spike(msgspec.Struct, frozen=True, kw_only=True, tag="spike"):
    """A steady number of virtual users, suddenly far more of them, then as few as before.

    The samples carry the tags ``phase:before``, ``phase:spike`` and ``phase:after``, by the
    moment at which the request was due.
    """

    base_users: int
    peak_users: int
    before_seconds: float
    peak_seconds: float
    after_seconds: float
    think_time_seconds: ThinkTime = 0.0


class ConstantArrivalRate(msgspec.Struct, frozen=True, kw_only=True, tag="constant-arrival-rate"):
    """An open model: ``rate`` requests per second are due, the first at once.

    ``round(rate * duration_seconds)`` requests in all; with ``max_in_flight`` unanswered, work
    that is due is dropped.
    """

    rate: float
    duration_seconds: float
    max_in_flight: int = 50


class RampingArrivalRate(msgspec.Struct, frozen=True, kw_only=True, tag="ramping-arrival-rate"):
    """An open model whose rate goes in straight lines from stage to stage.

    ``stages`` are pairs of the requests per second at the end of the stage, and its seconds; 0 s
    is a jump, so that ``((10, 30), (20, 0), (20, 30))`` from a start of 10 is a stair. As many
    requests as the area under the line, rounded; with ``max_in_flight`` unanswered, work that is
    due is dropped.
    """

    start_rate: float = 0.0
    stages: tuple[tuple[float, float], ...]
    max_in_flight: int = 50


Shape = (
    Sequential
    | Burst
    | VirtualUsers
    | RampingVirtualUsers
    | Staircase
    | Spike
    | ConstantArrivalRate
    | RampingArrivalRate
)


def describe(shape: Shape) -> str:  # noqa: PLR0911 (one for each shape)
    """A shape in words."""
    match shape:
        case Sequential(requests=1):
            return "1 request"
        case Sequential(requests=count, pause_seconds=pause):
            after = f", {pause:g} s pause" if pause else ", back to back"
            return f"{count} requests one at a time{after}"
        case Burst(requests=count, stagger_seconds=stagger, repeat=repeat, every_seconds=every):
            spread = f", started {stagger * 1000:g} ms apart" if stagger else ""
            times = f", {repeat} times, every {every:g} s" if repeat > 1 else ""
            limit = shape.max_in_flight
            most = "" if limit is None else f", at most {limit} in flight"
            return f"burst of {count}{spread}{times}{most}"
        case VirtualUsers(users=users, think_time_seconds=think):
            ramp = shape.ramp_up_seconds
            entering = f", entering over {ramp:g} s" if ramp else ""
            return f"{_counted(users, 'virtual user')}, {_until(shape)}{entering}{_thinking(think)}"
        case RampingVirtualUsers(start_users=start, stages=stages, think_time_seconds=think):
            return f"ramping virtual users, {_line(start, stages, 'users')}{_thinking(think)}"
        case Staircase(stairs=stairs, seconds_per_stair=seconds):
            listed = ", ".join(str(stair) for stair in stairs)
            return f"staircase of {listed} virtual users, {seconds:g} s each"
        case Spike(base_users=base, peak_users=peak, think_time_seconds=think):
            base_text = _counted(base, "virtual user")
            return (
                f"spike from {base_text} to {peak} for {shape.peak_seconds:g} s, "
                f"{shape.before_seconds:g} s before and {shape.after_seconds:g} s after it"
                f"{_thinking(think)}"
            )
        case ConstantArrivalRate(rate=rate, duration_seconds=duration):
            return f"constant arrival rate, {rate:g} req/s for {duration:g} s"
        case RampingArrivalRate(start_rate=start, stages=stages):
            return f"ramping arrival rate, {_line(start, stages, 'req/s')}"


def _until(shape: VirtualUsers) -> str:
    ends = []
    if shape.requests is not None:
        ends.append(_counted(shape.requests, "request"))
    if shape.requests_per_user is not None:
        ends.append(f"{_counted(shape.requests_per_user, 'request')} each")
    if shape.duration_seconds is not None:
        ends.append(f"{shape.duration_seconds:g} s")
    return " or ".join(ends)


def _line(start: float, stages: tuple[tuple[float, float], ...], unit: str) -> str:
    steps = [
        f"to {value:g} {'in' if seconds else 'at once'}{f' {seconds:g} s' if seconds else ''}"
        for value, seconds in stages
    ]
    return f"from {start:g} {unit} {', '.join(steps)}"


def _thinking(think: ThinkTime) -> str:
    if isinstance(think, tuple):
        least, most = think
        return f", {least:g} to {most:g} s think time"
    return f", {think:g} s think time" if think else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
