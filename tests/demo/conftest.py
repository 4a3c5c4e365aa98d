from __future__ import annotations

import http.client
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from waiting import wait_until

from qa_runner.targets.embedded import EmbeddedTarget
from qa_runner.targets.target import Target

PURCHASE = "/finances/api/purchase/initiate/"


class Api:
    """A running Purchase API, its rows and its log."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.folder = folder

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 30,
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target.port, timeout=seconds)
        with closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers

    def buy(self, email: str, seconds: float = 30) -> tuple[int, Any]:
        """Status and answer of a purchase; status 0 if there was none."""
        order = {"plan_id": 1, "student_info": {"name": "Test Student", "email": email}}
        try:
            status, answer, _ = self.request(
                "POST", PURCHASE, json.dumps(order).encode(), seconds=seconds
            )
        except (OSError, http.client.HTTPException):
            return 0, None
        return status, answer

    def buy_in_a_row(self, count: int, name: str = "row") -> list[tuple[int, Any]]:
        return [self.buy(f"{name}{i}@example.com") for i in range(count)]

    def buy_at_once(
        self, count: int, name: str = "burst", seconds: float = 30
    ) -> list[tuple[int, Any]]:
        results: list[tuple[int, Any]] = [(0, None)] * count
        barrier = threading.Barrier(count)

        def one(i: int) -> None:
            barrier.wait()
            results[i] = self.buy(f"{name}{i}@example.com", seconds)

        threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "database.sqlite3", timeout=20)) as database:
            return database.execute(query).fetchall()

    def write(self, statement: str) -> None:
        """Change the rows behind the server's back."""
        with closing(sqlite3.connect(self.folder / "database.sqlite3", timeout=20)) as database:
            database.execute(statement)
            database.commit()

    def count(self, table: str, where: str = "1") -> int:
        return int(self.rows(f"SELECT COUNT(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608

    def log(self) -> list[str]:
        return (self.folder / "server.log").read_text("utf-8").splitlines()

    def errors(self) -> list[str]:
        return [line for line in self.log() if line.split(" ")[1] == "ERROR"]

    def server(self) -> psutil.Process:
        """The process that owns the port."""
        for process in psutil.Process().children(recursive=True):
            try:
                connections = process.net_connections("tcp")
            except psutil.Error:
                continue
            for connection in connections:
                if connection.status == "LISTEN" and connection.laddr.port == self.target.port:
                    return process
        raise AssertionError("nobody listens on the port")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Api]]:
    """Starts an API with the faults given; it ends with the module."""
    with ExitStack() as stack:

        def start_one(*faults: str) -> Api:
            folder = tmp_path_factory.mktemp("demo")
            return Api(stack.enter_context(EmbeddedTarget(folder, faults=faults)), folder)

        yield start_one


@pytest.fixture(scope="module")
def api(start: Callable[..., Api]) -> Api:
    """An API without faults, shared by the tests of a module."""
    return start()


@pytest.fixture
def api_of() -> Callable[[Target, Path], Api]:
    """For APIs that are started otherwise."""
    return Api


@pytest.fixture
def eventually() -> Callable[..., bool]:
    return wait_until
