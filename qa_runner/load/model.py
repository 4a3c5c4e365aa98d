"""What the models of load and the load that they drive know of each other."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Model", "Sender"]


class Sender(Protocol):
    """The load, as far as a model is concerned."""

    def send(self, user: int, stage: int, due: float) -> None:
        """Send the next request, for ``user``; ``due`` is ``time.monotonic()``."""

    def retired(self, user: int) -> None:
        """Let go of what the user holds: it will not send again, unless a later stage calls it."""

    def settle(self) -> None:
        """Look whether the load is over: a user was retired with no request in flight."""

    def drop(self, due: float) -> None:
        """Record that a request was due and could not be started."""


class Model(Protocol):
    """Decides when requests are sent. Times are ``time.monotonic()``."""

    def start(self, now: float) -> None:
        """Begin; the schedule counts from ``now``."""

    def ended(self, user: int, finished: float, *, reached: bool) -> None:
        """The request of ``user`` has ended, however it did; ``reached`` if it got a connection."""

    def stop(self) -> None:
        """Send nothing more."""

    @property
    def exhausted(self) -> bool:
        """Whether nothing more will be sent, whatever is still in flight."""
