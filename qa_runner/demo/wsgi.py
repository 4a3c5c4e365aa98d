"""A WSGI server with threads that are used again, on Django's own request handler."""

from __future__ import annotations

import contextlib
import logging
import socketserver
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from qa_runner.demo.log import ACCESS

__all__ = ["PurchaseServer"]

_ACCESS = logging.getLogger(ACCESS)
_LOG = logging.getLogger("purchase_api.server")
_BACKLOG = 512
_MOST_THREADS = 1024
_IDLE_SECONDS = 10.0


class _RequestHandler(WSGIRequestHandler):
    timeout = _IDLE_SECONDS  # for a connection on which nothing comes
    # Head and body of a response are two small writes; Nagle's algorithm would hold back the
    # second until the first is acknowledged.
    disable_nagle_algorithm = True
    error_content_type = "application/json"
    error_message_format = '{"success": false, "errors": {"request": ["malformed (%(code)d)"]}}'

    def handle(self) -> None:
        """Answer the requests of a connection until it is closed or idle for too long."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (named so by the base)
        """An access line; without the client, which is always this machine."""
        _ACCESS.info(format, *args)


class PurchaseServer(ThreadedWSGIServer):
    """Gives each connection a thread, and keeps the threads for those that follow.

    A request that hangs costs its thread only; there is room for some thousand.
    """

    request_queue_size = _BACKLOG

    def __init__(self, address: tuple[str, int]) -> None:
        """Bind ``address``; once ``server_activate`` is called, it listens.

        Raises OSError if the address cannot be had.
        """
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="request")
        super().__init__(address, _RequestHandler, bind_and_activate=False)
        try:
            self.server_bind()
        except OSError:
            self.server_close()
            raise

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name that the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a thread."""
        self._pool.submit(self.process_request_thread, request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (the signature of the base)
        """Log what went wrong outside the application."""
        _LOG.exception("a connection failed")
