"""Where a load goes: addresses looked up once, and sockets connected to them."""

from __future__ import annotations

import asyncio
import socket
import ssl

from qa_runner.load.template import CompiledRequest

__all__ = ["Endpoint"]

_Address = tuple[socket.AddressFamily, tuple[object, ...]]


class Endpoint:
    """The target's host and port.

    Of several addresses (``localhost`` is often ::1 and 127.0.0.1) they are tried in turn, the
    one that answered last first. ``tls`` is None for http.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, request: CompiledRequest, *, verify_tls: bool
    ) -> None:
        self._loop = loop
        self._host = request.host
        self._port = request.port
        self._looking_up: asyncio.Task[None] | None = None
        self._addresses = _literal(self._host, self._port)
        self.tls = tls_context(verify=verify_tls) if request.scheme == "https" else None

    @property
    def resolved(self) -> bool:
        """Whether the addresses are known."""
        return bool(self._addresses)

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
            self._addresses = [(family, address) for family, _, _, _, address in found]
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, str(error)) from None
        finally:
            self._looking_up = None

    async def connect(self) -> socket.socket:
        """A connected socket. Raises OSError, the last one if no address could be reached."""
        failure: OSError | None = None
        for candidate in list(self._addresses):
            try:
                connected = await self._connect(candidate)
            except OSError as error:
                failure = error
                continue
            except asyncio.CancelledError:
                # Given up while this address kept silent: another may be the one that works.
                self._prefer(candidate, position=len(self._addresses) - 1)
                raise
            self._prefer(candidate, position=0)
            return connected
        raise failure or OSError(f"no address for {self._host}")

    def _prefer(self, candidate: _Address, *, position: int) -> None:
        if self._addresses[position] != candidate:
            self._addresses.remove(candidate)
            self._addresses.insert(position, candidate)

    async def _connect(self, candidate: _Address) -> socket.socket:
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


def _literal(host: str, port: int) -> list[_Address]:
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
