"""Callbacks at exact moments of the monotonic clock.

Timers of event loops have the grain of a millisecond: too coarse for 2,000 requests a second. On
Linux the kernel's own timer wakes the loop instead, through a descriptor that becomes readable
(timerfd_create(2)); elsewhere the loop's timers have to do, and samples say how late they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import os
import sys
from collections.abc import Callable
from itertools import count
from time import monotonic
from typing import Protocol

from qa_runner.load.timer import Alarm

__all__ = ["TURN_SECONDS", "AlarmClock", "Wake"]

TURN_SECONDS = 0.005
"""So long callbacks may go on before the loop has a turn: answers wait for them."""
_MAX_32_BIT = 2**31 - 1


class Wake:
    """A callback to come."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback

    def cancel(self) -> None:
        """Don't call back; harmless afterwards."""
        self.callback = None


class _Timer(Protocol):
    def set(self, when: float) -> None:
        """Fire once at ``when``, instead of when it was set to before."""

    def close(self) -> None:
        """Never fire again."""


class AlarmClock:
    """Calls back at or just after a moment, never before; in order of the moments.

    However many callbacks are due, and however many more they ask for, the loop gets its turns:
    else nobody would read answers or commands while a load is more than can be sent.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting: list[tuple[float, int, Wake]] = []
        self._number = count()
        self._set_to = 0.0
        self._firing = False
        self._timer = _timer(loop, self._fire)

    def at(self, when: float, callback: Callable[[], None]) -> Wake:
        """Call back at ``when`` (``time.monotonic()``)."""
        wake = Wake(callback)
        heapq.heappush(self._waiting, (when, next(self._number), wake))
        self._set()
        return wake

    def _set(self) -> None:
        waiting = self._waiting
        if waiting and waiting[0][0] != self._set_to and not self._firing:
            self._set_to = waiting[0][0]
            self._timer.set(self._set_to)

    def _fire(self) -> None:
        self._set_to = 0.0
        self._firing = True
        waiting = self._waiting
        now = monotonic()
        until = now + TURN_SECONDS
        try:
            while waiting and (waiting[0][2].callback is None or waiting[0][0] <= now <= until):
                callback = heapq.heappop(waiting)[2].callback
                if callback is not None:
                    callback()
                    now = monotonic()
        finally:
            self._firing = False
            self._set()

    def close(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._timer.close()


class _LoopTimer:
    def __init__(self, loop: asyncio.AbstractEventLoop, fired: Callable[[], None]) -> None:
        self._loop = loop
        self._fired = fired
        self._alarm: Alarm | None = None

    def set(self, when: float) -> None:
        self.close()
        self._alarm = Alarm(self._loop, when, self._fired)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()


class _KernelTimer:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fired: Callable[[], None],
        descriptor: int,
        set_time: Callable[[int, float], None],
    ) -> None:
        self._loop = loop
        self._fired = fired
        self._descriptor = descriptor
        self._set_time = set_time
        loop.add_reader(descriptor, self._wake)

    def set(self, when: float) -> None:
        self._set_time(self._descriptor, when)

    def _wake(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # set to a later moment since it fired
            return
        self._fired()

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1


def _timer(loop: asyncio.AbstractEventLoop, fired: Callable[[], None]) -> _Timer:
    if sys.platform == "linux" and sys.maxsize > _MAX_32_BIT:
        from qa_runner.load import timerfd  # noqa: PLC0415 (only there)

        with contextlib.suppress(OSError):
            return _KernelTimer(loop, fired, timerfd.create(), timerfd.set_time)
    return _LoopTimer(loop, fired)
