"""Real servers that do what real targets do: the report names the cause."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from projects.storefront import BUSY, CARELESS, PATH, ShopServer
from running import Cli

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
ORDER = {"plan_id": 1, "student_info": {"name": "Ada", "email": "ada@example.com"}}


def page_of(folder: Path) -> str:
    return re.sub(r"\s+", " ", (folder / "page.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (PATH.rstrip("/"), r"lacks the slash at its end: \d+ of 24 .{0,60} with an error page, as"),
        ("/finances/api/purchase/", r"HTTP 404: \S+ is not the path of this deployment\."),
        (BUSY, r"HTTP 429 without Retry-After, as a limit of the payment provider is passed on;"),
        (CARELESS, r"SQLite refuses at once to let a transaction write that has read before"),
    ],
    ids=["missing slash", "wrong path", "limit of the provider", "lock upgrade"],
)
def test_what_a_django_project_does_is_named(
    path: str, said: str, cli: Cli, tmp_path: Path, shop_server: ShopServer
) -> None:
    done = cli(
        *("load", shop_server.url + path, "--body", json.dumps(ORDER)),
        *("--users", "8", "--requests", "24"),
        *("--expect", "success_rate == 100 %", "--report", "page.html"),
    )
    assert done.code == 1, done.stderr
    assert re.search(said, page_of(tmp_path)), page_of(tmp_path)


@pytest.fixture
def overflowing() -> Iterator[int]:
    """The port of a server whose backlog is full while it is busy with its first connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:

        def serve() -> None:
            busy = True
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    if busy:
                        time.sleep(0.8)
                    busy = False
                    connection.sendall(ANSWER)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse what does not fit")
def test_an_overflowing_backlog_is_named(cli: Cli, tmp_path: Path, overflowing: int) -> None:
    done = cli(
        *("load", f"http://127.0.0.1:{overflowing}/"),
        *("--users", "8", "--requests", "8", "--new-connections"),
        *("--expect", "response_time max < 0.9 s", "--report", "page.html"),
    )
    assert done.code == 1, done.stderr
    text = page_of(tmp_path)
    assert re.search(r"of \d+ new connections in 1\.1, \d+ took about 1 s", text), text
    assert "listen backlog overflowed" in text
