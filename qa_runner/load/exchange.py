"""One request on its way, with the moments it has passed."""

from __future__ import annotations

from math import nan
from typing import Protocol

__all__ = ["Exchange"]


class Abortable(Protocol):
    """A connection, as far as an exchange is concerned."""

    def abort(self) -> None:
        """Close at once, telling nobody."""


class Cancellable(Protocol):
    """What opens a connection, as far as an exchange is concerned."""

    def cancel(self) -> object:
        """Stop opening it."""


class Exchange:
    """A request that was due; times are ``time.monotonic()``, NaN where not reached.

    ``opening`` is what opens its connection, ``connection`` the one it went out on.
    """

    __slots__ = (
        "bytes_received",
        "connected",
        "connection",
        "due",
        "finished",
        "first_byte",
        "iteration",
        "opening",
        "resolved",
        "reused",
        "secured",
        "sent",
        "stage",
        "started",
        "user",
    )

    def __init__(self, iteration: int, user: int, stage: int, due: float) -> None:
        self.iteration = iteration
        self.user = user
        self.stage = stage
        self.due = due
        self.started = nan
        self.resolved = nan
        self.connected = nan
        self.secured = nan
        self.sent = nan
        self.first_byte = nan
        self.finished = nan
        self.bytes_received = 0
        self.reused = False
        self.opening: Cancellable | None = None
        self.connection: Abortable | None = None

    def renew(self, iteration: int, stage: int, due: float) -> None:
        """Make it the next request of the same user, over the connection of the last."""
        self.iteration = iteration
        self.stage = stage
        self.due = due
        self.finished = nan
        self.first_byte = nan
        self.bytes_received = 0
        self.reused = True

    def start(self, now: float) -> None:
        """It goes out now, on a connection that stands."""
        self.started = self.resolved = self.connected = self.secured = now
