"""Says which of many sockets can be read, with one look for all of them.

To watch a socket, event loops keep an object, a callback and a place in queues of their own for
it; for a connection that serves one request, to set these up and to take them down costs more
than to read. On Linux an epoll of our own holds the sockets, and the loop watches that one.
Elsewhere the loop does it all.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from collections.abc import Callable
from typing import Protocol

__all__ = ["Readiness", "watch_readiness"]


class Readiness(Protocol):
    """Watches sockets for something to read: bytes, the end, or an error."""

    looking: bool
    """Whether callbacks are being called; when the last of them has been, ``looked`` is."""

    def add(self, number: int, callback: Callable[[], None]) -> None:
        """Call back whenever the descriptor ``number`` can be read, until it is removed."""

    def remove(self, number: int) -> None:
        """Watch it no more. Its socket is closed right after."""

    def close(self) -> None:
        """Watch nothing any more; harmless when repeated."""


def watch_readiness(loop: asyncio.AbstractEventLoop, looked: Callable[[], None]) -> Readiness:
    """What suits the platform; ``looked`` is called after each look at many sockets."""
    if sys.platform == "linux":
        # There may be no more descriptors, since other loads have them all.
        with contextlib.suppress(OSError):
            return _Epoll(loop, looked)
    return _OfTheLoop(loop)


if sys.platform == "linux":

    class _Epoll:
        def __init__(self, loop: asyncio.AbstractEventLoop, looked: Callable[[], None]) -> None:
            self.looking = False
            self._loop = loop
            self._looked = looked
            self._epoll = select.epoll()
            self._callbacks: dict[int, Callable[[], None]] = {}
            loop.add_reader(self._epoll.fileno(), self._look)

        def add(self, number: int, callback: Callable[[], None]) -> None:
            self._callbacks[number] = callback
            self._epoll.register(number, select.EPOLLIN)

        def remove(self, number: int) -> None:
            # The kernel takes it out of the epoll when the socket is closed.
            self._callbacks.pop(number, None)

        def _look(self) -> None:
            callbacks = self._callbacks
            self.looking = True
            for number, _ in self._epoll.poll(0):
                # One that is ready may have been closed on behalf of one before it.
                callback = callbacks.get(number)
                if callback is not None:
                    callback()
            self.looking = False
            self._looked()

        def close(self) -> None:
            if self._epoll.closed:
                return
            self._callbacks.clear()
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


class _OfTheLoop:
    looking = False

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: dict[int, Callable[[], None]] = {}

    def add(self, number: int, callback: Callable[[], None]) -> None:
        self._callbacks[number] = callback
        self._loop.add_reader(number, self._look, number)

    def _look(self, number: int) -> None:
        callback = self._callbacks.get(number)
        if callback is None:
            return
        callback()
        if self._callbacks.get(number) is callback:
            # uvloop looks no more at a socket that was reset, whatever is left to be read of it.
            self._loop.remove_reader(number)
            self._loop.add_reader(number, self._look, number)

    def remove(self, number: int) -> None:
        self._callbacks.pop(number, None)
        self._loop.remove_reader(number)

    def close(self) -> None:
        for number in list(self._callbacks):
            self.remove(number)
