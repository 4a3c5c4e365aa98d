"""A server on a loopback address that answers as it is told, and keeps what it was asked."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import pytest

__all__ = ["Answer", "AnsweringSite", "Seen", "site"]


@dataclass(frozen=True)
class Seen:
    """A request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Answer:
    """What the server says; ``before`` is called first, e.g. to wait."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = field(default=lambda: None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Clients that go away are what some tests are about."""


class AnsweringSite:
    """``answer`` gets each request and its number, from 1; ``seen`` is in the order of arrival."""

    def __init__(
        self,
        answer: Callable[[Seen, int], Answer] = lambda _seen, _number: Answer(),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        site, lock = self, Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def setup(self) -> None:
                with lock:
                    site.connections += 1
                super().setup()

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                seen = Seen(self.command, self.path, dict(self.headers), body)
                with lock:
                    site.seen.append(seen)
                    number = len(site.seen)
                said = answer(seen, number)
                said.before()
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 (the base's names)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.port: int = self._server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def site() -> Iterator[Callable[..., AnsweringSite]]:
    """Start a server; without ``answer`` each request gets a 200 with a JSON object."""
    started: list[AnsweringSite] = []

    def start(*arguments: Any, **options: Any) -> AnsweringSite:
        started.append(AnsweringSite(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()
