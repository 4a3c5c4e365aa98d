"""What the load generator itself adds to a time, and what it can send: the values."""

from __future__ import annotations

import msgspec

__all__ = [
    "OVERHEAD_LIMIT_SECONDS",
    "PUNCTUALITY_LIMIT_SECONDS",
    "Calibration",
    "Capacity",
]

OVERHEAD_LIMIT_SECONDS = 0.02
PUNCTUALITY_LIMIT_SECONDS = 0.01


class Capacity(msgspec.Struct, kw_only=True, frozen=True):
    """How many requests the generator can send in one connection mode.

    Measured with a stub that answers at once, so it is what generator and stub make together:
    never more than the generator's own.
    """

    requests: int
    requests_per_second: float
    cpu_seconds_per_request: float
    """Of the generator alone; 0 where the platform does not tell."""


class Calibration(msgspec.Struct, kw_only=True, frozen=True):
    """The generator against a stub on loopback that says how long it took itself.

    *Overhead* is the response time beyond that, *lateness* is from due to started.
    """

    measured: str
    """When; ISO 8601."""
    event_loop: str
    stub_delay_seconds: float
    users: int
    """At once, for the overhead."""
    overhead_requests: int
    overhead_p50_seconds: float
    overhead_p99_seconds: float
    arrival_rate: float
    """Requests due per second, for the lateness."""
    lateness_requests: int
    lateness_p99_seconds: float
    keep_alive: Capacity
    new_connections: Capacity
    from_cache: bool = False

    @property
    def added_seconds(self) -> float:
        """What the generator can add to a response time: the larger of the two 99th percentiles."""
        return max(self.overhead_p99_seconds, self.lateness_p99_seconds)

    def capacity(self, connections: str) -> Capacity:
        """Of a load's connection mode: "keep-alive" or "new"."""
        return self.keep_alive if connections == "keep-alive" else self.new_connections

    @property
    def problem(self) -> str:
        """Why short times measured here say little, in one sentence; empty if they do."""
        found = []
        if self.overhead_p99_seconds > OVERHEAD_LIMIT_SECONDS:
            found.append(f"adds up to {1000 * self.overhead_p99_seconds:.0f} ms to a response time")
        if self.lateness_p99_seconds > PUNCTUALITY_LIMIT_SECONDS:
            found.append(f"sends up to {1000 * self.lateness_p99_seconds:.0f} ms late")
        if not found:
            return ""
        return (
            f"This machine is too busy to measure short times: the load generator "
            f"{' and '.join(found)} (99th percentiles, with next to no load)."
        )
