"""The open model: requests are due by the clock, whatever became of those before them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from qa_runner.load.alarm_clock import AlarmClock, Wake
from qa_runner.load.model import Sender

__all__ = ["OpenModel"]


class OpenModel:
    """Sends what is due, or drops it when ``max_in_flight`` are unanswered (None: no limit).

    Users are numbered as they are needed: a request takes one that is free, the last one that
    became so, or a new one.
    """

    def __init__(
        self,
        clock: AlarmClock,
        offsets: Iterator[float],
        max_in_flight: int | None,
        sender: Sender,
    ) -> None:
        self._clock = clock
        self._offsets = offsets
        self._limit = max_in_flight
        self._sender = sender
        self._start = 0.0
        self._free: list[int] = []
        self._users = 0
        self._next: float | None = None
        self._alarm: Wake | None = None

    def start(self, now: float) -> None:
        """Begin; offsets count from ``now``."""
        self._start = now
        self._await_next()

    def _await_next(self) -> None:
        offset = next(self._offsets, None)
        self._next = None if offset is None else self._start + offset
        self._alarm = None
        if self._next is not None:
            self._alarm = self._clock.at(self._next, partial(self._begin, self._next))

    def _begin(self, due: float) -> None:
        # One at a time, so that the clock can see to it that answers are read in between.
        self._await_next()
        self._dispatch(due)

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
