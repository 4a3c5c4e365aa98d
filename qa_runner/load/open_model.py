"""The open model: requests are due by the clock, whatever became of those before them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import monotonic

from qa_runner.load.model import Sender
from qa_runner.load.timer import Alarm

__all__ = ["OpenModel"]


class OpenModel:
    """Sends what is due, or drops it when ``max_in_flight`` are unanswered (None: no limit).

    Users are numbered as they are needed: a request takes one that is free, the last one that
    became so, or a new one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        offsets: Iterator[float],
        max_in_flight: int | None,
        sender: Sender,
    ) -> None:
        self._loop = loop
        self._offsets = offsets
        self._limit = max_in_flight
        self._sender = sender
        self._start = 0.0
        self._free: list[int] = []
        self._users = 0
        self._next: float | None = None
        self._alarm: Alarm | None = None

    def start(self, now: float) -> None:
        """Begin; offsets count from ``now``."""
        self._start = now
        self._advance()
        self._tick()

    def _advance(self) -> None:
        offset = next(self._offsets, None)
        self._next = None if offset is None else self._start + offset

    def _tick(self) -> None:
        self._alarm = None
        while self._next is not None and self._next <= monotonic():
            due = self._next
            self._advance()
            self._dispatch(due)
        if self._next is not None:
            self._alarm = Alarm(self._loop, self._next, self._tick)

    def _dispatch(self, due: float) -> None:
        if self._free:
            self._sender.send(self._free.pop(), 0, due)
        elif self._limit is None or self._users < self._limit:
            self._users += 1
            self._sender.send(self._users - 1, 0, due)
        else:
            self._sender.drop(due)

    def ended(self, user: int, finished: float, *, reached: bool) -> None:  # noqa: ARG002 (of no concern here)
        """The request of ``user`` has ended."""
        self._free.append(user)

    def stop(self) -> None:
        """Let nothing more be due."""
        self._next = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    @property
    def exhausted(self) -> bool:
        """Whether nothing more will be due."""
        return self._next is None
