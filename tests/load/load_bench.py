"""Real servers on 127.0.0.1 that answer with raw bytes, and a real generator process."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from qa_runner.clock import Clock
from qa_runner.instruments import Instruments
from qa_runner.load.plan import LoadPlan, RequestTemplate, Sequential, Shape
from qa_runner.load.process import GeneratorProcess, LoadHandle
from qa_runner.stop import StopToken
from qa_runner.table import SAMPLES, Table

DEADLINE_SECONDS = 40.0


class Peer:
    """The server's side of one connection."""

    def __init__(self, server: RawServer, connection: socket.socket, number: int) -> None:
        self.server = server
        self.socket = connection
        self.number = number
        self._read = b""

    def request(self) -> bytes:
        """The next request, whole; empty if the client has closed."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return b""
        head, _, rest = self._read.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            if not self._more():
                return b""
            rest = self._read.partition(b"\r\n\r\n")[2]
        self._read = rest[length:]
        whole = head + b"\r\n\r\n" + rest[:length]
        self.server.requests.append(whole)
        return whole

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except OSError:
            return False
        self._read += data
        return bool(data)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        self.socket.close()


class RawServer:
    """Runs ``script(peer)`` in a thread for each connection, then closes it."""

    def __init__(self, script: Callable[[Peer], None], family: int = socket.AF_INET) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._script = script
        self._open: list[socket.socket] = []
        self._listening = socket.socket(family, socket.SOCK_STREAM)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self._listening.listen(512)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            peer = Peer(self, connection, self.connections)
            threading.Thread(target=self._run, args=(peer,), daemon=True).start()

    def _run(self, peer: Peer) -> None:
        try:
            self._script(peer)
        except OSError:
            pass  # the client went away, which some scripts are about
        finally:
            peer.socket.close()

    def close(self) -> None:
        self.stopping.set()
        # shutdown() wakes a thread that is in accept(); close() alone does not on Linux.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            connection.close()
        self._thread.join(5)


class Bench:
    """A generator with what tests do with it again and again."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.process = GeneratorProcess(self.clock)
        self.process.start()
        self._number = 0

    def submit(
        self,
        url: str,
        shape: Shape | None = None,
        *,
        request: dict[str, Any] | None = None,
        samples_tag: str = "",
        **options: Any,
    ) -> LoadHandle:
        self._number += 1
        plan = LoadPlan(
            number=self._number,
            shape=shape or Sequential(requests=1),
            request=RequestTemplate(**{"method": "GET", "url": url, **(request or {})}),
            **{"tag": "t1", **options},
        )
        return self.process.submit(plan, part="1.1", role="main", tag=samples_tag)

    def instruments(self, url: str, **changes: Any) -> Instruments:
        """What a step would get to send with, and nothing else."""
        numbers = itertools.count(10_001)
        bare: dict[str, Any] = {
            "clock": self.clock,
            "session": 1,
            "url": url,
            "run_tag": "r1",
            "generator": self.process,
            "monitors": {},
            "database": None,
            "database_reason": "",
            "stop": StopToken(),
            "parameters": {},
            "metrics": {},
            "facts": [],
            "save_samples": lambda _rows: None,
            "read_all_samples": lambda: Table(SAMPLES),
            "save_health": lambda _rows: None,
            "progress": lambda _handle: None,
            "next_load": lambda: next(numbers),
            "mark": None,
            "first_session": 1,
            "complete_loads": set,
            "calibration": None,
        }
        return Instruments(**{**bare, **changes})

    def wait(self, *handles: LoadHandle) -> None:
        self.until(lambda: all(handle.finished for handle in handles))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the load did not get there"
            self.process.poll(0.2)

    def run(self, url: str, shape: Shape | None = None, **options: Any) -> Table:
        handle = self.submit(url, shape, **options)
        self.wait(handle)
        assert handle.stop_reason == ""
        return handle.take()

    def row(self, url: str, **options: Any) -> dict[str, Any]:
        """Send one request; its row."""
        table = self.run(url, **options)
        assert len(table) == 1
        return rows(table)[0]


def rows(table: Table) -> list[dict[str, Any]]:
    names = table.columns.numbers
    columns: list[list[Any]] = [table.number(name).tolist() for name in names]
    columns += [table.text(name) for name in table.columns.texts]
    return [
        dict(zip(table.columns.names, values, strict=True)) for values in zip(*columns, strict=True)
    ]


def respond(
    body: bytes = b'{"ok":true}', status: str = "200 OK", headers: tuple[str, ...] = ()
) -> bytes:
    """A response with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
