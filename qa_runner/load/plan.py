"""Load is data: a plan says when, what, how, and what to look at in the answer.

A plan is a frozen value that is sent to the generator process and described in the report; no
code of the author's travels with it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

__all__ = [
    "Burst",
    "ConstantArrivalRate",
    "LoadPlan",
    "Outcome",
    "RequestTemplate",
    "Sequential",
    "Shape",
    "Staircase",
    "VirtualUsers",
    "describe",
]


class Outcome(StrEnum):
    """What became of a request that was due."""

    SUCCESS = "success"
    INVALID = "invalid"
    """A success status without a valid body: a silent failure."""
    CLIENT_ERROR = "client error"
    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    TIMEOUT = "timeout"
    CONNECTION_ERROR = "connection error"
    OTHER = "other"
    """An unexpected status (a redirect, say) or an answer that is not HTTP."""
    DROPPED = "dropped"
    """Due, but not started: too many in flight."""
    CANCELLED = "cancelled"
    """Started and given up because the run was stopped."""


class Sequential(msgspec.Struct, frozen=True, kw_only=True, tag="sequential"):
    """One request after the other, with a pause after each answer."""

    requests: int
    pause_seconds: float = 0.0


class Burst(msgspec.Struct, frozen=True, kw_only=True, tag="burst"):
    """Requests due together, or ``stagger_seconds`` apart; ``repeat`` bursts, ``every_seconds``.

    An open model: a request is due whatever became of the ones before it.
    """

    requests: int
    stagger_seconds: float = 0.0
    repeat: int = 1
    every_seconds: float = 0.0


class VirtualUsers(msgspec.Struct, frozen=True, kw_only=True, tag="virtual-users"):
    """A closed model: each user sends, waits for the answer, thinks, and sends again.

    A user whose connection failed waits for at least 0.1 s.

    Ends after ``requests`` in all, or after ``duration_seconds``, whichever is set; the requests
    in flight at the end are awaited.
    """

    users: int
    requests: int | None = None
    duration_seconds: float | None = None
    think_time_seconds: float = 0.0


class Staircase(msgspec.Struct, frozen=True, kw_only=True, tag="staircase"):
    """Virtual users in stairs; the samples of each stair carry the tag ``users:N``."""

    stairs: tuple[int, ...]
    seconds_per_stair: float


class ConstantArrivalRate(msgspec.Struct, frozen=True, kw_only=True, tag="constant-arrival-rate"):
    """An open model: ``rate`` requests per second are due, the first at once.

    ``round(rate * duration_seconds)`` requests in all; with ``max_in_flight`` unanswered, work
    that is due is dropped.
    """

    rate: float
    duration_seconds: float
    max_in_flight: int = 50


Shape = Sequential | Burst | VirtualUsers | Staircase | ConstantArrivalRate


class RequestTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A request, prepared once, with the fields ``{i}`` (1-based number within its load), and
    ``{tag}`` (run, attempt and load) rendered for each iteration in ``url``, ``body`` and
    ``key``. Every other brace is literal.

    ``key`` names the request in the target's data. A response succeeds if its status is among
    ``success_statuses`` and its body is a JSON object in which each path of ``required`` is
    present and neither null, false nor empty. ``extract`` maps names to paths (``"a.b"``) of
    values to keep from every response that is a JSON object.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    key: str = ""
    success_statuses: tuple[int, ...] = (200,)
    required: tuple[str, ...] = ()
    extract: tuple[tuple[str, str], ...] = ()
    server_timing: bool = False
    """Keep the Server-Timing header, as ``extracted["server-timing"]``."""


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the generator needs to send one load."""

    number: int
    shape: Shape
    request: RequestTemplate
    tag: str
    """The value of the field {tag}."""
    timeout_seconds: float = 10.0
    connect_timeout_seconds: float = 5.0
    connections: Literal["new", "keep-alive"] = "new"
    verify_tls: bool = True


def describe(shape: Shape) -> str:
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
            return f"burst of {count}{spread}{times}"
        case VirtualUsers(users=users, requests=count, duration_seconds=duration):
            until = f"{duration:g} s" if count is None else _counted(count, "request")
            return f"{_counted(users, 'virtual user')}, {until}"
        case Staircase(stairs=stairs, seconds_per_stair=seconds):
            listed = ", ".join(str(stair) for stair in stairs)
            return f"staircase of {listed} virtual users, {seconds:g} s each"
        case ConstantArrivalRate(rate=rate, duration_seconds=duration):
            return f"constant arrival rate, {rate:g} req/s for {duration:g} s"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
