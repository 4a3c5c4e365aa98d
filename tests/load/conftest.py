"""Fixtures: servers that answer with raw bytes, and a generator process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from load_bench import Bench, Peer, RawServer, respond


@pytest.fixture(scope="module")
def shared_bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.process.close()


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """One generator for all tests that don't end it, as a run has it."""
    return shared_bench


@pytest.fixture
def own_bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.process.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    """Start a server with a script; ended with the test."""
    servers: list[RawServer] = []

    def start(script: Callable[[Peer], None], family: int = socket.AF_INET) -> RawServer:
        server = RawServer(script, family)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def answering(serve: Callable[..., RawServer]) -> Callable[..., RawServer]:
    """Start a server that answers every request, over kept connections, with given bytes."""

    def start(answer: bytes | None = None, *, close: bool = False) -> RawServer:
        data = respond() if answer is None else answer

        def script(peer: Peer) -> None:
            while peer.request():
                peer.send(data)
                if close:
                    return

        return serve(script)

    return start
