"""A server that does nothing but wait: ``python -m qa_runner.load.stub``.

The load generator is calibrated against it. It prints its port, answers every request with 200
and a small JSON body, and ends when stdin does. A request for ``/after/MILLISECONDS`` is answered
so much later, any other at once. The body says how long that took by the stub's own clock, so
that its lateness is not taken for the generator's.
"""

from __future__ import annotations

import asyncio
import os
import sys
from time import monotonic
from typing import cast

import httptools

from qa_runner.load.event_loop import new_event_loop

__all__ = ["main"]

DELAYED = b"/after/"
_BACKLOG = 4096
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"


class _Connection(asyncio.Protocol):
    """One connection: reads requests, answers each when its time has come."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._arrived = 0.0
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of it, and do all that one does.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._arrived = monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the base's name)
        self._transport = None

    # ---------------------------------------------------------------- of the parser

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        url, self._url = self._url, b""
        arrived, stays = self._arrived, self._parser.should_keep_alive()
        if url.startswith(DELAYED):
            # Loops fire up to a millisecond early or late, which the body tells.
            delay = float(url.removeprefix(DELAYED)) / 1000
            self._loop.call_later(delay, lambda: self._answer(arrived, stays=stays))
        else:
            self._answer(arrived, stays=stays)

    def _answer(self, arrived: float, *, stays: bool) -> None:
        if self._transport is None:
            return
        body = b'{"took":%.7f}' % (monotonic() - arrived)
        head = _HEAD % (len(body), b"" if stays else b"Connection: close\r\n")
        self._transport.write(head + body)
        if not stays:
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Lifeline(asyncio.Protocol):
    """stdin: only says when it has ended."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the base's name)
        self._ended.set()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    server = await loop.create_server(lambda: _Connection(loop), "127.0.0.1", 0, backlog=_BACKLOG)
    await loop.connect_read_pipe(lambda: _Lifeline(ended), sys.stdin.buffer)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 (how its parent learns it)
    await ended.wait()


def main() -> None:
    """Serve until stdin ends."""
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve())
    # At once: nobody waits for the answers that are still due.
    os._exit(0)


if __name__ == "__main__":
    main()
