"""A server on a loopback address that answers as it is told, and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the server says; ``before`` is called first, e.g. to wait."""

    status: int = 200
    body: str = '{"ok": true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = field(default=lambda: None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Clients that go away are what some tests are about."""


class ProtectedSite:
    """``answer`` gets the request's headers, its body and its number, from 1."""

    def __init__(
        self, answer: Callable[[Mapping[str, str], str, int], Reply], address: str = "127.0.0.1"
    ) -> None:
        self.requests = 0
        site, lock = self, Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                with lock:
                    site.requests += 1
                    number = site.requests
                reply = answer(self.headers, body, number)
                reply.before()
                data = reply.body.encode()
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any  # noqa: N815 (the base's names)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server((address, 0), Handler)
        self.port: int = self._server.server_port
        self.url = f"http://{address}:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
