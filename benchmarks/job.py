"""What a tool is asked to do, and what it says it did."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BODY", "CONTENT_TYPE", "BenchmarkError", "Job", "Reading"]

CONTENT_TYPE = "application/json"
BODY = (
    '{"email":"qa-b-ID@example.test","order":"PURCHASE-006","amount":"19.90",'
    '"currency":"EUR","quantity":1}'
)
"""Every request is a POST of this; tools that can replace ``ID`` by something unique do."""


class BenchmarkError(Exception):
    """The comparison, or one measurement of it, could not be made; the message is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One load. Ends after ``requests`` or, if that is None, after ``seconds``.

    With a ``rate`` (requests per second) tools with an open model keep at most ``in_flight``
    unanswered, and closed ones share the rate among their ``users``.
    """

    url: str
    users: int
    seconds: int
    requests: int | None = None
    rate: int | None = None
    in_flight: int = 0
    new_connections: bool = False
    report: bool = False
    """Draw figures of it, if the tool can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a tool reports; times in seconds, None where it does not say.

    ``errors`` counts what the tool does not count as a success. ``lateness_p99`` is how late the
    tool itself says its sends were.
    """

    requests: int
    errors: int
    p50: float | None
    p99: float | None
    lateness_p99: float | None = None
