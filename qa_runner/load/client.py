"""Sends the requests of one load: opens connections, keeps them or not, minds the timeouts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from math import isnan
from time import monotonic

from qa_runner.load.cause import cause_of
from qa_runner.load.endpoint import Endpoint
from qa_runner.load.exchange import Exchange
from qa_runner.load.plan import LoadPlan, Outcome
from qa_runner.load.readiness import watch_readiness
from qa_runner.load.response import KnownHeads, Response
from qa_runner.load.socket_transport import SocketTransport
from qa_runner.load.template import CompiledRequest
from qa_runner.load.timer import Deadlines
from qa_runner.load.wire import Connection

__all__ = ["Client"]

_MOST_TOGETHER = 32
"""To read many answers and then to send many requests is faster than to do each in turn: the
server is not woken for every one. No request waits for more of the others than this."""


class Client:
    """One for each load.

    Each request that is sent ends in exactly one call of ``answered`` or ``failed``, never
    before :meth:`send` has returned. With keep-alive each virtual user has a connection of its
    own; a server that closes it costs a new one, and a request that was on it is not sent again.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        plan: LoadPlan,
        request: CompiledRequest,
        *,
        answered: Callable[[Exchange, Response], None],
        failed: Callable[[Exchange, Outcome, str], None],
    ) -> None:
        self._loop = loop
        self._plan = plan
        self._request = request
        self._answered = answered
        self._failed = failed
        self._endpoint = Endpoint(
            loop,
            request,
            verify_tls=plan.verify_tls,
            permitted=plan.limits.addresses if plan.limits else (),
        )
        self._keep_alive = plan.connections == "keep-alive"
        self._head_only = request.method == "HEAD"
        self._heads = KnownHeads()
        self._readiness = watch_readiness(loop, self._send_out)
        self._idle: dict[int, Connection] = {}
        self._outbox: list[tuple[Connection, bytes]] = []
        self._connecting = Deadlines[Exchange](loop, plan.connect_timeout_seconds, self._late)
        self._in_flight = Deadlines[Exchange](loop, plan.timeout_seconds, self._late)

    def send(self, iteration: int, user: int, stage: int, due: float) -> None:
        """Send a request now. Raises BodyFailed, and then it never began."""
        data = self._request.render(iteration + 1, user)
        connection = self._idle.pop(user, None)
        if connection is not None and not connection.closed:
            connection.last.renew(iteration, stage, due)
            self._outbox.append((connection, data))
            if not self._readiness.looking or len(self._outbox) >= _MOST_TOGETHER:
                self._send_out()
            return
        now = monotonic()
        exchange = Exchange(iteration, user, stage, due)
        exchange.started = now
        self._in_flight.add(exchange, now)
        self._connecting.add(exchange, now)
        address = self._endpoint.sole if self._endpoint.tls is None else None
        if address is None:
            exchange.opening = self._loop.create_task(self._open(exchange, data))
            return
        exchange.resolved = now
        exchange.opening = transport = self._transport(exchange, data)
        try:
            transport.open(address)
        except OSError as error:
            self._loop.call_soon(self._not_opened, exchange, error)

    def _send_out(self) -> None:
        # Nothing but answers was dealt with since they were put there: the connections stand.
        for connection, data in self._outbox:
            exchange = connection.last
            now = monotonic()
            exchange.start(now)
            self._in_flight.add(exchange, now)
            connection.send(data)
        self._outbox.clear()

    def _transport(self, exchange: Exchange, data: bytes) -> SocketTransport:
        return SocketTransport(self._loop, self._readiness, self._connection(exchange, data))

    def _connection(self, exchange: Exchange, data: bytes) -> Connection:
        return Connection(self, exchange, data, self._heads, head_only=self._head_only)

    def _not_opened(self, exchange: Exchange, error: OSError) -> None:
        if isnan(exchange.finished):  # not given up in the meantime
            exchange.finished = monotonic()
            self.failed(exchange, *cause_of(error))

    async def _open(self, exchange: Exchange, data: bytes) -> None:
        try:
            exchange.resolved = exchange.started
            if not self._endpoint.resolved:
                await self._endpoint.resolve()
                exchange.resolved = monotonic()
            connected = await self._endpoint.connect()
            exchange.connected = monotonic()
            await self._attach(connected, exchange, data)
        except OSError as error:
            self._not_opened(exchange, error)

    async def _attach(self, connected: socket.socket, exchange: Exchange, data: bytes) -> None:
        context = self._endpoint.tls
        if context is None:
            self._transport(exchange, data).take(connected)
            return
        await self._loop.create_connection(
            lambda: self._connection(exchange, data),
            sock=connected,
            ssl=context,
            server_hostname=self._request.host,
        )

    # What connections tell: the Owner of wire.py.

    def opened(self, exchange: Exchange) -> None:
        """The request has gone out; only its total timeout counts from here."""
        exchange.opening = None
        self._connecting.discard(exchange)
        if self._endpoint.tls is None:
            if isnan(exchange.connected):
                exchange.connected = exchange.secured
            exchange.secured = exchange.connected

    def answered(self, connection: Connection, exchange: Exchange, response: Response) -> None:
        """Keep or close the connection and pass the response on."""
        self._in_flight.discard(exchange)
        if self._keep_alive and response.keep_alive and connection.free:
            self._idle[connection.user] = connection
        else:
            connection.close()
        self._answered(exchange, response)

    def failed(self, exchange: Exchange, outcome: Outcome, error: str) -> None:
        """Pass the failure on."""
        self._end(exchange)
        if isnan(exchange.secured):
            self._endpoint.doubt()
        self._failed(exchange, outcome, error)

    def lost(self, connection: Connection) -> None:
        """Forget an idle connection."""
        if self._idle.get(connection.user) is connection:
            del self._idle[connection.user]

    def release(self, user: int) -> None:
        """Close the idle connection of a user that has left: it may hold a worker of the server."""
        connection = self._idle.pop(user, None)
        if connection is not None:
            connection.close()

    # Giving up.

    def _late(self, exchange: Exchange) -> None:
        if exchange.connection is None:
            error = "connect timeout"
        elif exchange.bytes_received:
            error = f"response not complete within {self._plan.timeout_seconds:g} s"
        else:
            error = f"no response within {self._plan.timeout_seconds:g} s"
        self._give_up(exchange, Outcome.TIMEOUT, error)

    def cancel_all(self) -> None:
        """Give up all that is in flight, as cancelled."""
        for exchange in self._in_flight.items():
            self._give_up(exchange, Outcome.CANCELLED, "stopped while in flight")

    def _give_up(self, exchange: Exchange, outcome: Outcome, error: str) -> None:
        exchange.finished = monotonic()
        if exchange.connection is not None:
            exchange.connection.abort()
        elif exchange.opening is not None:
            exchange.opening.cancel()
        self.failed(exchange, outcome, error)

    def _end(self, exchange: Exchange) -> None:
        self._in_flight.discard(exchange)
        self._connecting.discard(exchange)

    def close(self) -> None:
        """Close idle connections and timers; nothing may be in flight any more."""
        for connection in list(self._idle.values()):
            connection.close()
        self._idle.clear()
        self._in_flight.close()
        self._connecting.close()
        self._readiness.close()
