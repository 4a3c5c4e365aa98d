"""timerfd_create(2) and timerfd_settime(2): Python has them from 3.13 on, the C library always."""

from __future__ import annotations

import ctypes
import os
import struct

__all__ = ["create", "set_time"]

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
# struct itimerspec: interval, then value, each seconds and nanoseconds.
_TIMES = struct.Struct("@qqqq")
_SHORTEST_NANOSECONDS = 1
# Whoever waits for longer waits for ever; the kernel takes no more than 292 years.
_LATEST = 2.0**32
_library = ctypes.CDLL(None, use_errno=True)


def create() -> int:
    """A descriptor of a timer on the clock of ``time.monotonic()``; raises OSError."""
    descriptor: int = _library.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return descriptor


def set_time(descriptor: int, when: float) -> None:
    """Make it readable once, at ``when``; at once if that has passed."""
    when = min(when, _LATEST)
    seconds = int(when)
    # All zero would mean never.
    nanoseconds = max(int((when - seconds) * 1e9), _SHORTEST_NANOSECONDS)
    times = _TIMES.pack(0, 0, seconds, nanoseconds)
    if _library.timerfd_settime(descriptor, _ABSOLUTE, times, None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
