"""Several addresses of one name: who answers is found without waiting, and remembered."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest
from fault_bench import MODES
from load_bench import Bench, Peer, RawServer, free_port, respond

from qa_runner.load.endpoint import Endpoint
from qa_runner.load.plan import LoadPlan, RequestTemplate, Sequential
from qa_runner.load.socket_transport import Address
from qa_runner.load.template import compile_request

Serve = Callable[..., RawServer]


def answer(peer: Peer) -> None:
    while peer.request():
        peer.send(respond())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_localhost_where_only_one_family_listens(
    bench: Bench, serve: Serve, family: socket.AddressFamily, mode: str
) -> None:
    known = {found[0] for found in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)}
    if family not in known:
        pytest.skip("localhost has no such address on this machine")
    server = serve(answer, family)
    table = bench.run(f"http://localhost:{server.port}/", Sequential(requests=4), connections=mode)
    assert table.text("error") == [""] * 4
    assert server.connections == (4 if mode == "new" else 1)


def test_localhost_where_nobody_listens(bench: Bench) -> None:
    row = bench.row(f"http://localhost:{free_port()}/")
    assert (row["outcome"], row["error"]) == ("connection error", "connection refused")


@pytest.fixture
def answering_address(serve: Serve) -> Address:
    return socket.AF_INET, ("127.0.0.1", serve(answer).port)


@pytest.fixture
def refusing_address() -> Address:
    return socket.AF_INET, ("127.0.0.1", free_port())


@pytest.fixture
def silent_address() -> Iterator[Address]:
    if sys.platform != "linux":
        pytest.skip("a full backlog drops packets on Linux only")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        where = listening.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(where)
        yield socket.AF_INET, where
        for filler in fillers:
            filler.close()


def open_files() -> int:
    return psutil.Process(os.getpid()).num_fds()


def endpoint(*addresses: Address) -> Endpoint:
    plan = LoadPlan(
        number=1,
        shape=Sequential(requests=1),
        request=RequestTemplate(method="GET", url="http://several.test/"),
        tag="t1",
    )
    made = Endpoint(asyncio.get_running_loop(), compile_request(plan), verify_tls=True)
    made._addresses = list(addresses)
    return made


async def reached(made: Endpoint) -> tuple[object, ...]:
    connected = await asyncio.wait_for(made.connect(), 30)
    with connected:
        peer: tuple[object, ...] = connected.getpeername()
        return peer


def test_silent_address_does_not_keep_the_next_from_being_tried(
    silent_address: Address, answering_address: Address
) -> None:
    async def scenario() -> None:
        before = open_files()
        made = endpoint(silent_address, answering_address)
        assert made.sole is None
        assert await reached(made) == answering_address[1]
        assert made.sole == answering_address
        assert await reached(made) == answering_address[1]
        # The server's side of the two is in this process as well.
        async with asyncio.timeout(30):
            while open_files() > before:  # noqa: ASYNC110 (no event tells that a thread closed it)
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_one_port_where_only_one_family_listens(serve: Serve, family: socket.AddressFamily) -> None:
    try:
        port = serve(answer, family).port
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    async def scenario() -> None:
        made = endpoint(
            (socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))
        )
        assert (await reached(made))[1] == port
        assert made.sole is not None
        assert made.sole[0] == family

    asyncio.run(scenario())


def test_address_that_answers_no_more_is_given_up(
    refusing_address: Address, answering_address: Address
) -> None:
    async def scenario() -> None:
        made = endpoint(refusing_address, answering_address)
        made._answered = True
        assert await reached(made) == answering_address[1]
        assert made.sole == answering_address

    asyncio.run(scenario())


def test_failure_is_that_of_the_first_address(
    refusing_address: Address, silent_address: Address
) -> None:
    async def scenario() -> None:
        unreachable: Address = socket.AF_INET, ("255.255.255.255", 9)
        for addresses in ((refusing_address, unreachable), (refusing_address, refusing_address)):
            with pytest.raises(ConnectionRefusedError):
                await endpoint(*addresses).connect()

    asyncio.run(scenario())


def test_given_up_while_all_keep_silent(silent_address: Address) -> None:
    async def scenario() -> None:
        before = open_files()
        other: Address = socket.AF_INET, ("127.0.0.2", *silent_address[1][1:])
        made = endpoint(silent_address, other)
        attempt = asyncio.create_task(made.connect())
        await asyncio.sleep(0.05)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await asyncio.sleep(0)
        assert open_files() <= before
        assert made._addresses == [other, silent_address]

    asyncio.run(scenario())
