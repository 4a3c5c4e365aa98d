"""What of the database's activity was the target's, and what was the probe's own."""

from __future__ import annotations

import msgspec

__all__ = ["Activity", "OwnLoad", "SinceStart", "least_interval"]

# The probe rests for at least as long as a reading took.
_SHARE = 0.5
_LONGEST_SECONDS = 10.0


class OwnLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe's process has done so far; ``commits`` and ``rollbacks`` are transactions."""

    statements: int = 0
    commits: int = 0
    rollbacks: int = 0
    busy_seconds: float = 0.0

    def __add__(self, other: OwnLoad) -> OwnLoad:
        return OwnLoad(
            statements=self.statements + other.statements,
            commits=self.commits + other.commits,
            rollbacks=self.rollbacks + other.rollbacks,
            busy_seconds=self.busy_seconds + other.busy_seconds,
        )


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions and deadlocks since the session began, without the probe's own."""

    commits: int | None = None
    rollbacks: int | None = None
    deadlocks: int | None = None


class SinceStart:
    """Turns the counts of the server's whole life into those of the session."""

    def __init__(self) -> None:
        self._first: tuple[int, int, int] | None = None
        self._latest = (0, 0, 0)
        self._counted = [0, 0, 0]
        self._before_reset = [0, 0, 0]
        self._ended = OwnLoad()
        self._running = OwnLoad()

    @property
    def own(self) -> OwnLoad:
        """The probe's own load in all, also of processes that ended."""
        return self._ended + self._running

    def restarted(self) -> None:
        """The probe runs in a new process, whose counts begin again."""
        self._ended, self._running = self.own, OwnLoad()

    def take(
        self, commits: int | None, rollbacks: int | None, deadlocks: int | None, own: OwnLoad
    ) -> Activity:
        """The activity at a reading; nothing is known where the database does not count."""
        self._running = own
        if commits is None or rollbacks is None or deadlocks is None:
            return Activity()
        mine = self.own
        latest = (commits, rollbacks, deadlocks)
        now = (commits - mine.commits, rollbacks - mine.rollbacks, deadlocks)
        if self._first is None:
            self._first = now
        elif any(each < known for each, known in zip(latest, self._latest, strict=True)):
            # They begin anew when the database has crashed, or when anybody resets them.
            self._first, self._before_reset = now, self._counted
        self._latest = latest
        self._counted = [
            # Before PostgreSQL 15 the probe's own are published late.
            before + max(each - first, 0)
            for before, each, first in zip(self._before_reset, now, self._first, strict=True)
        ]
        return Activity(
            commits=self._counted[0], rollbacks=self._counted[1], deadlocks=self._counted[2]
        )


def least_interval(asked_seconds: float, cost_seconds: float) -> float:
    """How long to wait from one reading to the next, of which each costs so much."""
    return max(asked_seconds, min(cost_seconds / _SHARE, _LONGEST_SECONDS))
