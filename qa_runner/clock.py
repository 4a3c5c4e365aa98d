"""The clock of a session: seconds since it began, monotonic, the same in every process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

__all__ = ["Clock"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since the session began.

    ``time.monotonic_ns`` counts from the same origin in all processes of a machine (Linux:
    CLOCK_MONOTONIC, macOS: mach_absolute_time), so times of generator and probe compare.
    """

    monotonic_start: float = field(default_factory=time.monotonic)
    wall_start: datetime = field(default_factory=lambda: datetime.now(UTC).astimezone())

    def now(self) -> float:
        """Seconds since the session began."""
        return time.monotonic() - self.monotonic_start

    def from_monotonic(self, seconds: float) -> float:
        """A ``time.monotonic()`` value of any process as seconds since the session began."""
        return seconds - self.monotonic_start

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Sleep, at most until ``event`` is set; whether it was."""
        return event.wait(max(seconds, 0.0))
