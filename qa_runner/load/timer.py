"""Timers on the monotonic clock: one that never fires early, and one for many deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

__all__ = ["Alarm", "Deadlines"]

Item = TypeVar("Item")


class Alarm:
    """Calls back once, at or just after ``when`` (``time.monotonic()``), never before.

    Loops round to milliseconds, and uvloop counts from a cached clock; both can be early.
    """

    __slots__ = ("_callback", "_handle", "_loop", "_when")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, when: float, callback: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._when = when
        self._callback = callback
        self._handle: asyncio.Handle | None = loop.call_later(
            max(when - monotonic(), 0.0), self._fire
        )

    def _fire(self) -> None:
        early = self._when - monotonic()
        if early > 0:
            self._handle = self._loop.call_later(early, self._fire)
            return
        self._handle = None
        self._callback()

    def cancel(self) -> None:
        """Don't call back; harmless afterwards."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Deadlines(Generic[Item]):
    """The same number of seconds for each of many items, with one timer for all of them.

    Items are added in the order of their start, so only the oldest needs watching.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        expired: Callable[[Item], None],
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = expired
        self._starts: dict[Item, float] = {}
        self._alarm: Alarm | None = None

    def add(self, item: Item, start: float) -> None:
        """Watch ``item`` from ``start`` (``time.monotonic()``) on."""
        self._starts[item] = start
        if self._alarm is None:
            self._alarm = Alarm(self._loop, start + self._seconds, self._sweep)

    def discard(self, item: Item) -> None:
        """Stop watching; harmless if it is not watched."""
        self._starts.pop(item, None)

    def items(self) -> list[Item]:
        """What is watched, oldest first."""
        return list(self._starts)

    def _sweep(self) -> None:
        self._alarm = None
        limit = monotonic() - self._seconds
        late = []
        for item, start in self._starts.items():
            if start > limit:
                self._alarm = Alarm(self._loop, start + self._seconds, self._sweep)
                break
            late.append(item)
        for item in late:
            self.discard(item)
            self._expired(item)

    def close(self) -> None:
        """Forget everything."""
        self._starts.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
