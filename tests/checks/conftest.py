"""One session for many checks: what differs is the answer, which the path decides."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from qa_runner import discovery
from qa_runner.check_result import CheckResult
from qa_runner.checking import check as check_alone
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.registry import perform
from qa_runner.clock import Clock
from qa_runner.configuration.reading import load_configuration
from qa_runner.configure import configure
from qa_runner.session import Session
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.targets.url import url_target

Header = str | Callable[[], str]
"""A value, or what gives it when the request is there."""
Answer = tuple[int, dict[str, Header], bytes]
NO_ANSWER = 0
"""The status of a server that hangs."""
VALID = {"success": True, "transaction_id": 1, "payment_intent_id": "a", "client_secret": "b"}


@pytest.fixture(scope="module")
def answers() -> dict[str, list[Answer]]:
    """What the servers of this module say, by path: one after the other, the last for ever."""
    return {}


@contextmanager
def serving(answers: dict[str, list[Answer]], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a server that gives the answers."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            left = answers[self.path]
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            if status == NO_ANSWER:
                ended.wait(60)
                return
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value() if callable(value) else value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # handshakes that fail are what is asked for

    httpd = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        httpd.socket = tls.wrap_socket(
            httpd.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{httpd.server_port}"
    finally:
        ended.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture(scope="module")
def small_server(answers: dict[str, list[Answer]]) -> Iterator[str]:
    """The URL of a server that gives the answers."""
    with serving(answers) as url:
        yield url


@pytest.fixture(scope="module")
def session(small_server: str) -> Iterator[Session]:
    """A session that watches the small server."""
    case = configure(discovery.find("PURCHASE-006"), profile="full", steps=(), settings=())
    with ExitStack() as stack:
        held = Session(case, number=1, run_tag="qatest", stop=StopToken(), clock=Clock())
        stack.enter_context(held)
        stack.enter_context(held.watching(url_target(small_server), lambda _name, _rows: None))
        yield held


@pytest.fixture(scope="module")
def tls_url(answers: dict[str, list[Answer]]) -> Iterator[str]:
    """The URL of a server whose certificate nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(answers, context) as url:
        yield url


@pytest.fixture
def found(
    session: Session, small_server: str, answers: dict[str, list[Answer]]
) -> Callable[..., dict[str, CheckResult]]:
    """Check a server that answers so; the results by id."""

    def check(
        status: int = 201,
        body: bytes | dict[str, object] = VALID,
        path: str = "/buy/",
        *,
        url: str = "",
        seconds: float = 8.0,
        later: list[Answer] | None = None,
        **headers: Header,
    ) -> dict[str, CheckResult]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        answers[path] = [(status, given, sent), *(later or [])]
        session.case = configure(
            session.case.definition, profile="full", steps=(), settings=[f"case.path={path}"]
        )
        checked = CheckedTarget(
            url_target(url or small_server),
            session,
            lambda _rows: None,
            request_seconds=seconds,
            load_follows=bool(later),
        )
        return {result.id: result for result in perform(checked)}

    return check


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., dict[str, CheckResult]]:
    """Check the target "shop" of this configuration alone; the findings by id."""

    def run(toml: str, *steps: str) -> dict[str, CheckResult]:
        file = tmp_path / "qa-runner.toml"
        file.write_text(toml, "utf-8")
        settings = RunSettings(
            case="PURCHASE-006",
            configuration=load_configuration(file, tmp_path),
            target="shop",
            steps=steps,
        )
        told: list[CheckResult] = []
        results = check_alone(settings, StopToken(), told.append)
        assert results == told
        return {result.id: result for result in results}

    return run
