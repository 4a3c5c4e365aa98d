"""A table of faults: each is met twice by a load, with a request that goes well behind it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import psutil
from load_bench import Bench, Peer, RawServer, respond, rows
from waiting import wait_until

from qa_runner.load.plan import Sequential

REQUESTS = 4
BOUND_SECONDS = 30.0
MODES = ("new", "keep-alive")
_AT_ONCE = 25


@dataclass(frozen=True)
class Fault:
    """What the server does instead of answering, and the row that is to come of it.

    ``act`` is called with the whole request read; the server then waits for the client to close
    (unless ``kept``: it reads the next request).
    """

    act: Callable[[Peer], None]
    outcome: str
    error: str
    kept: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Met:
    """What came of a fault: the rows of the load, and what the server saw."""

    rows: list[dict[str, Any]]
    numbers: list[int]
    connections: int
    all_closed: bool


def sends(data: bytes, *, then: str = "") -> Callable[[Peer], None]:
    """Send bytes; then perhaps ``"fin"`` or ``"rst"``."""

    def act(peer: Peer) -> None:
        peer.send(data)
        if then == "fin":
            peer.socket.shutdown(socket.SHUT_WR)
        elif then == "rst":
            peer.reset()

    return act


def meet_all(bench: Bench, faults: dict[str, Fault]) -> dict[tuple[str, str], Met]:
    """So many at a time as keep the test process within 256 open files; none stays open."""
    found: dict[tuple[str, str], Met] = {}
    generator = psutil.Process(bench.process.pid)
    bench.run("http://127.0.0.1:1/")
    before = generator.num_fds()
    names = list(faults)
    for start in range(0, len(names), _AT_ONCE):
        found.update(_meet(bench, {name: faults[name] for name in names[start : start + _AT_ONCE]}))
    bench.until(lambda: generator.num_fds() <= before)
    return found


def _meet(bench: Bench, faults: dict[str, Fault]) -> dict[tuple[str, str], Met]:
    """Send four requests to a server for each fault and mode, all beside each other.

    The first and the third meet the fault: over a fresh connection, and with keep-alive over one
    that has carried an answer.
    """
    with contextlib.ExitStack() as stack:
        started = []
        for name, fault in faults.items():
            for mode in MODES:
                closed: list[int] = []
                server = RawServer(_script(fault, closed))
                stack.callback(server.close)
                options = dict(fault.options)
                request = {"method": "POST", "body": "{i}", **options.pop("request", {})}
                handle = bench.submit(
                    server.url + "/{i}",
                    Sequential(requests=REQUESTS),
                    connections=mode,
                    request=request,
                    **options,
                )
                started.append(((name, mode), server, closed, handle))
        bench.wait(*(handle for *_, handle in started))
        return {
            key: Met(
                rows(handle.take()),
                [_number(request) for request in server.requests],
                server.connections,
                wait_until(lambda server=server, closed=closed: len(closed) == server.connections),
            )
            for key, server, closed, handle in started
        }


def _script(fault: Fault, closed: list[int]) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        while request := peer.request():
            if _number(request) % 2 == 0:
                peer.send(respond())
                continue
            with contextlib.suppress(ConnectionError):  # given up while it was sending
                fault.act(peer)
            if not fault.kept:
                break
        until_closed(peer)
        closed.append(peer.number)

    return script


def _number(request: bytes) -> int:
    return int(request.split(b" ", 2)[1][1:])


def until_closed(peer: Peer) -> None:
    """Wait until the client has closed; TimeoutError if it never does."""
    if peer.socket.fileno() == -1:
        return
    peer.socket.settimeout(BOUND_SECONDS)
    with contextlib.suppress(ConnectionError):
        while peer.socket.recv(65536):
            pass


def check(fault: Fault, mode: str, met: Met) -> None:
    """One row for each request, the right ones; nothing sent twice, nothing left open."""
    bad, good = (fault.outcome, fault.error), ("success", "")
    assert [(row["outcome"], row["error"]) for row in met.rows] == [bad, good, bad, good]
    assert met.numbers == list(range(1, REQUESTS + 1))
    reused = [0, 0, 0, 0]
    if mode == "keep-alive":
        reused = [0, 1, 1, 1] if fault.kept else [0, 0, 1, 0]
    assert [row["reused"] for row in met.rows] == reused
    assert met.connections == reused.count(0)
    assert met.all_closed
    for row in met.rows:
        assert row["finished"] >= row["started"] >= row["due"]


def parameters(faults: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, mode) for name in faults for mode in MODES]
