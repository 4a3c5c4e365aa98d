"""Where a load goes: addresses looked up once, and sockets connected to them."""

from __future__ import annotations

import asyncio
import socket
import ssl

from qa_runner.load.socket_transport import Address
from qa_runner.load.template import CompiledRequest

__all__ = ["Endpoint", "tls_context"]

NEXT_ADDRESS_SECONDS = 0.25
"""So long an address may keep silent before the next is tried beside it (RFC 8305, section 5)."""


class Endpoint:
    """The target's host and port.

    Of several addresses (``localhost`` is often ::1 and 127.0.0.1) each is tried when the one
    before it has failed or kept silent for 0.25 s, and the first to answer is taken; that one
    alone is then asked, until it fails. ``tls`` is None for http. With ``permitted`` addresses no
    other is connected to, whatever the name resolves to by then.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        request: CompiledRequest,
        *,
        verify_tls: bool,
        permitted: tuple[str, ...] = (),
    ) -> None:
        self._loop = loop
        self._host = request.host
        self._port = request.port
        self._looking_up: asyncio.Task[None] | None = None
        self._answered = False  # whether the first of the addresses has
        self._permitted = permitted
        self._addresses = self._approved(_literal(self._host, self._port))
        self.tls = tls_context(verify=verify_tls) if request.scheme == "https" else None

    @property
    def resolved(self) -> bool:
        """Whether the addresses are known."""
        return bool(self._addresses)

    @property
    def sole(self) -> Address | None:
        """The one address in question: there is no other, or it has answered before."""
        return self._addresses[0] if self._answered or len(self._addresses) == 1 else None

    def doubt(self) -> None:
        """The address that had answered does so no more: all are in question again."""
        self._answered = False

    async def resolve(self) -> None:
        """Look the name up, once for all who wait; a failure is not remembered.

        Raises OSError (socket.gaierror).
        """
        if self._looking_up is None:
            self._looking_up = self._loop.create_task(self._look_up())
        # A request that is given up while it waits must not take the look-up from the others.
        await asyncio.shield(self._looking_up)

    async def _look_up(self) -> None:
        try:
            found = await self._loop.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
            )
            # A name can stand in the hosts file twice.
            unique = dict.fromkeys((family, address) for family, _, _, _, address in found)
            self._addresses = self._approved(list(unique))
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, str(error)) from None
        finally:
            self._looking_up = None

    def _approved(self, found: list[Address]) -> list[Address]:
        """Those that may be connected to; if the name leads elsewhere now, where it led before."""
        if not (self._permitted and found):
            return found
        approved = [address for address in found if address[1][0] in self._permitted]
        return approved or [
            address for text in self._permitted for address in _literal(text, self._port)
        ]

    async def connect(self) -> socket.socket:
        """A connected socket. Raises OSError, that of the address tried first, if all failed."""
        candidates = list(self._addresses)
        try:
            if self._answered or len(candidates) == 1:
                try:
                    return await self._connect(candidates[0])
                except OSError:
                    self.doubt()
                    if len(candidates) == 1:
                        raise
            return await self._race(candidates)
        except asyncio.CancelledError:
            # Given up while this address kept silent: another may be the one that works.
            self.doubt()
            self._prefer(candidates[0], position=len(candidates) - 1)
            raise

    async def _race(self, candidates: list[Address]) -> socket.socket:
        attempts: dict[asyncio.Task[socket.socket], Address] = {}
        failures: dict[Address, OSError] = {}
        waiting = candidates[::-1]
        try:
            while waiting or attempts:
                if waiting:
                    candidate = waiting.pop()
                    attempts[self._loop.create_task(self._connect(candidate))] = candidate
                ended, _ = await asyncio.wait(
                    attempts,
                    timeout=NEXT_ADDRESS_SECONDS if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for attempt in ended:
                    candidate = attempts.pop(attempt)
                    try:
                        connected = attempt.result()
                    except OSError as error:
                        failures[candidate] = error
                    else:
                        self._answered = True
                        self._prefer(candidate, position=0)
                        return connected
            raise failures[candidates[0]]
        finally:
            for attempt in attempts:
                _discard(attempt)

    def _prefer(self, candidate: Address, *, position: int) -> None:
        if self._addresses[position] != candidate:
            self._addresses.remove(candidate)
            self._addresses.insert(position, candidate)

    async def _connect(self, candidate: Address) -> socket.socket:
        family, address = candidate
        connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(connecting, address)
        except BaseException:
            connecting.close()
            raise
        return connecting


def _discard(attempt: asyncio.Task[socket.socket]) -> None:
    """Give up an attempt that is not needed, whether it has just succeeded or not."""
    if not attempt.cancel() and not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def _literal(host: str, port: int) -> list[Address]:
    """The address, if ``host`` is one and not a name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [(family, address) for family, _, _, _, address in found[:1]]


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """A context that trusts whom the machine trusts, or everybody."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
