"""One connection to the target: a request out, its response in, perhaps another."""

from __future__ import annotations

import asyncio
from math import isnan
from time import monotonic
from typing import Protocol, cast

from qa_runner.load.cause import cause_of
from qa_runner.load.exchange import Exchange
from qa_runner.load.plan import Outcome
from qa_runner.load.response import KnownHeads, Malformed, Response, ResponseReader

__all__ = ["Connection", "Owner", "Transport"]


class Transport(Protocol):
    """Of ``asyncio.Transport``, what a connection needs."""

    def write(self, data: bytes) -> None:
        """Send, now or as the server takes it."""

    def get_write_buffer_size(self) -> int:
        """How many bytes have not gone out yet."""

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""

    def close(self) -> None:
        """Close in an orderly way."""

    def abort(self) -> None:
        """Close at once."""


class Owner(Protocol):
    """Who is told what became of a request; the connection is free again by then."""

    def opened(self, exchange: Exchange) -> None:
        """The connection stands and the request is about to go out."""

    def answered(self, connection: Connection, exchange: Exchange, response: Response) -> None:
        """A whole response came."""

    def failed(self, exchange: Exchange, outcome: Outcome, error: str) -> None:
        """No whole response will come; the connection is closed."""

    def lost(self, connection: Connection) -> None:
        """A connection without a request on it was closed, by whichever side."""


class Connection(asyncio.Protocol):
    """Carries one request at a time, and never sends any of them twice.

    The first goes out as soon as the transport is there (after the TLS handshake).
    """

    __slots__ = (
        "_exchange",
        "_feed",
        "_owner",
        "_reader",
        "_request",
        "_transport",
        "closed",
        "last",
        "user",
    )

    def __init__(
        self,
        owner: Owner,
        exchange: Exchange,
        request: bytes,
        heads: KnownHeads,
        *,
        head_only: bool,
    ) -> None:
        self.user = exchange.user
        self.closed = False
        self.last = exchange
        """The request that it carries, or the one before if it carries none."""
        self._owner = owner
        self._exchange: Exchange | None = exchange
        self._request = request
        self._reader = ResponseReader(head_only=head_only, heads=heads)
        self._feed = self._reader.feed
        self._transport: Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport | Transport) -> None:
        """Send the request that this connection was opened for."""
        self._transport = cast("Transport", transport)
        exchange = self._exchange
        if exchange is None or not isnan(exchange.finished):  # given up in the meantime
            self.abort()
            return
        exchange.secured = monotonic()
        self._owner.opened(exchange)
        exchange.connection = self
        self.send(self._request)
        self._request = b""

    def send(self, request: bytes) -> None:
        """Send the request ``last``, which has been renewed since it was answered."""
        if self._transport is None:
            raise RuntimeError("the connection is closed")
        exchange = self._exchange = self.last
        self._transport.write(request)
        exchange.sent = monotonic()

    def data_received(self, data: bytes) -> None:
        """Read on; tell the owner when the response is whole or can't be one."""
        now = monotonic()
        exchange = self._exchange
        if exchange is None:  # bytes that nobody asked for: nothing here can be trusted now
            self.abort()
            self._owner.lost(self)
            return
        if not exchange.bytes_received:
            exchange.first_byte = now
        exchange.bytes_received += len(data)
        try:
            response = self._feed(data)
        except Malformed as error:
            self.abort()
            exchange.finished = now
            self._owner.failed(exchange, Outcome.OTHER, str(error))
            return
        if response is not None:
            self._exchange = None
            exchange.finished = now
            self._owner.answered(self, exchange, response)

    def eof_received(self) -> None:
        """The server has closed; :meth:`connection_lost` follows."""
        self.closed = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the body, of the request, or of an idle connection."""
        self.closed = True
        exchange, self._exchange, self._transport = self._exchange, None, None
        if exchange is None:
            self._reader.close()
            self._owner.lost(self)
            return
        exchange.finished = monotonic()
        response = self._reader.end() if exc is None else None
        self._reader.close()
        if response is not None:
            self._owner.answered(self, exchange, response)
        elif isinstance(exc, OSError):
            self._owner.failed(exchange, *cause_of(exc))
        else:
            cut = exchange.bytes_received > 0
            error = "closed before the end of the response" if cut else "closed before the response"
            self._owner.failed(exchange, Outcome.CONNECTION_ERROR, error)

    @property
    def free(self) -> bool:
        """Whether another request can go out: the last one has, and nothing was closed yet."""
        transport = self._transport
        if self.closed or transport is None or transport.is_closing():
            return False
        return not transport.get_write_buffer_size()

    def close(self) -> None:
        """Close in an orderly way; nothing that matters is on the way any more."""
        self.closed = True
        self._reader.close()
        transport, self._transport = self._transport, None
        if transport is None:
            return
        if transport.get_write_buffer_size():
            # A server that answered early may never take the rest.
            transport.abort()
        else:
            transport.close()

    def abort(self) -> None:
        """Close at once; the owner hears nothing more about a request on it."""
        self.closed = True
        self._exchange = None
        self._reader.close()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
