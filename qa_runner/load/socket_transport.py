"""A plain TCP connection with as little around it as possible.

What an event loop does to open a connection (tasks, futures, a turn of the loop before the first
byte goes out) costs as much as all else about a request that gets one of its own, and that time
would be the generator's, not the server's.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Protocol

from qa_runner.load.readiness import Readiness

__all__ = ["Address", "SocketTransport"]

Address = tuple[socket.AddressFamily, tuple[object, ...]]

# Python makes room for all that could come before it reads: for most answers a little suffices.
_READ_BYTES = 4 * 1024
_READ_BYTES_OF_LARGE = 64 * 1024
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR})


class Carried(Protocol):
    """Who is told what happens on the connection: the methods of ``asyncio.Protocol``."""

    def connection_made(self, transport: SocketTransport) -> None:
        """The connection stands."""

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""

    def connection_lost(self, exc: Exception | None) -> None:
        """It could not be opened, or the server has closed or reset it."""


class SocketTransport:
    """Opens a connection, writes and reads: of ``asyncio.Transport``, what requests need.

    Over loopback the connection often stands when :meth:`open` returns, and the request is on
    its way by then. After :meth:`close` or :meth:`abort` nobody is told anything any more.
    """

    __slots__ = (
        "_loop",
        "_protocol",
        "_readiness",
        "_reading",
        "_room",
        "_socket",
        "_unsent",
        "_writing",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, readiness: Readiness, protocol: Carried
    ) -> None:
        self._loop = loop
        self._readiness = readiness
        self._protocol: Carried | None = protocol
        self._socket: socket.socket | None = None
        self._unsent = memoryview(b"")
        self._reading = False
        self._room = _READ_BYTES
        self._writing = False

    def open(self, address: Address) -> None:
        """Connect; the protocol is told now or later that it stands, only later that it fails.

        Raises OSError if it fails at once; the protocol is not told then.
        """
        family, where = address
        self._socket = opening = socket.socket(family, socket.SOCK_STREAM)
        try:
            opening.setblocking(False)
            opening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = opening.connect_ex(where)
            if number not in _UNDER_WAY:
                raise OSError(number, os.strerror(number))
        except BaseException:
            self.close()
            raise
        try:
            opening.getpeername()
        except OSError:  # not connected yet
            self._writing = True
            self._loop.add_writer(opening.fileno(), self._on_connected)
        else:
            self._begin(opening)

    def take(self, connected: socket.socket) -> None:
        """Go on with a socket that has been connected elsewhere."""
        self._socket = connected
        self._begin(connected)

    def _on_connected(self) -> None:
        opened = self._socket
        if opened is None:
            return
        self._stop_writing(opened)
        number = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._lose(OSError(number, os.strerror(number)))
        else:
            self._begin(opened)

    def _begin(self, opened: socket.socket) -> None:
        # The request goes out first; nothing is read before this returns.
        if self._protocol is not None:
            self._protocol.connection_made(self)
        if self._socket is opened:
            self._reading = True
            self._readiness.add(opened.fileno(), self._on_readable)

    def write(self, data: bytes) -> None:
        """Send; what does not go out at once follows as the server takes it.

        Only what was written before must all have gone out.
        """
        opened = self._socket
        if opened is None:
            return
        try:
            sent = opened.send(data)
        except OSError:  # or one that says that nothing can go out yet
            sent = self._send(opened, data)
        if sent < len(data):
            self._unsent = memoryview(data)[sent:]
            self._writing = True
            self._loop.add_writer(opened.fileno(), self._on_writable)

    def _send(self, opened: socket.socket, data: bytes | memoryview) -> int:
        try:
            return opened.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            # Whoever writes is not told of the end in the middle of it.
            self._loop.call_soon(self._lose, error)
            return len(data)

    def _on_writable(self) -> None:
        opened = self._socket
        if opened is None:
            return
        self._unsent = self._unsent[self._send(opened, self._unsent) :]
        if not self._unsent:
            self._stop_writing(opened)

    def _on_readable(self) -> None:
        opened = self._socket
        if opened is None or self._protocol is None:
            return
        try:
            data = opened.recv(self._room)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if data:
            if len(data) == self._room:
                self._room = _READ_BYTES_OF_LARGE
            self._protocol.data_received(data)
        else:
            self._lose(None)

    def _lose(self, error: OSError | None) -> None:
        protocol = self._protocol
        self.close()
        if protocol is not None:
            protocol.connection_lost(error)

    def _stop_writing(self, opened: socket.socket) -> None:
        self._writing = False
        self._loop.remove_writer(opened.fileno())

    def get_write_buffer_size(self) -> int:
        """How many bytes have not gone out yet."""
        return len(self._unsent)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._socket is None

    def close(self) -> None:
        """Close at once; what has not been sent is not sent any more."""
        opened, self._socket = self._socket, None
        # The protocol refers back to this transport: without this, both wait for the collector.
        self._protocol = None
        if opened is None:
            return
        if self._writing:
            self._stop_writing(opened)
            self._unsent = memoryview(b"")
        if self._reading:
            self._readiness.remove(opened.fileno())
        opened.close()

    abort = close
    cancel = close
