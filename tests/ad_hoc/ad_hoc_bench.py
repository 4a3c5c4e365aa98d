"""Real servers on 127.0.0.1, and the command as a user types it."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import msgspec
from click.testing import CliRunner, Result

from qa_runner.cli import main

COMMAND = (sys.executable, "-m", "qa_runner")


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
    before: Callable[[], object] = field(default=lambda: None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Clients that go away are what some tests are about."""


class Site:
    """Answers each request as it is told; ``seen`` in the order of arrival."""

    def __init__(self, answer: Callable[[Seen, int], Answer], tls: ssl.SSLContext | None) -> None:
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
                with lock:
                    site.seen.append(Seen(self.command, self.path, dict(self.headers), body))
                    number = len(site.seen)
                said = answer(site.seen[number - 1], number)
                said.before()
                self.send_response(said.status)
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
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def invoke(*arguments: str, **environment: str) -> Result:
    """``qa-runner load`` in this process."""
    return CliRunner().invoke(
        main, ["load", *arguments], prog_name="qa-runner", env={**_CLEAN, **environment}
    )


def summary(*arguments: str, **environment: str) -> dict[str, Any]:
    """The JSON of a load."""
    done = invoke(*arguments, "--format", "json", **environment)
    assert done.stdout, done.output
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """``qa-runner load`` as a process of its own, which Ctrl-C of the tests does not reach."""
    return subprocess.Popen(
        [*COMMAND, "load", *arguments],
        cwd=folder,
        env={**os.environ, **_CLEAN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


_CLEAN = {"QA_RUNNER_AUTH_TOKEN": "", "NO_COLOR": ""}
