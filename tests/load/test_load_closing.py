"""Closed, reset or silent in every state of a connection: one row each, then all goes on."""

from __future__ import annotations

import socket
from collections.abc import Callable

import psutil
import pytest
from fault_bench import BOUND_SECONDS, MODES, Fault, Met, check, meet_all, parameters, sends
from load_bench import Bench, Peer, RawServer, free_port, respond, rows

from qa_runner.load.plan import Sequential, VirtualUsers

Serve = Callable[..., RawServer]

ANSWER = respond(b'{"a": "0123456789"}', headers=("X-A: 1",))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"
STATES = {
    "before the answer": b"",
    "in the status line": ANSWER[:7],
    "behind the status line": ANSWER[: ANSWER.index(b"\n") + 1],
    "in the header": ANSWER[:25],
    "behind the header": ANSWER[: ANSWER.index(b"{")],
    "in the body": ANSWER[:-9],
    "before the last byte": ANSWER[:-1],
    "in a chunk size": CHUNKED[: CHUNKED.index(b"A\r\n") + 1],
    "in a chunk": CHUNKED[:-12],
    "before the last chunk": CHUNKED[:-5],
    "in the last chunk": CHUNKED[:-2],
}


def closed(sent: bytes) -> Fault:
    error = "closed before the end of the response" if sent else "closed before the response"
    return Fault(sends(sent, then="fin"), "connection error", error)


def reset(sent: bytes) -> Fault:
    return Fault(sends(sent, then="rst"), "connection error", "connection reset")


def silent(sent: bytes) -> Fault:
    error = "response not complete within 1 s" if sent else "no response within 1 s"
    return Fault(sends(sent), "timeout", error, options={"timeout_seconds": 1.0})


FAULTS = {
    **{f"closed {state}": closed(sent) for state, sent in STATES.items()},
    **{f"reset {state}": reset(sent) for state, sent in STATES.items()},
    **{f"silent {state}": silent(sent) for state, sent in STATES.items()},
}


@pytest.fixture(scope="module")
def met(shared_bench: Bench) -> dict[tuple[str, str], Met]:
    return meet_all(shared_bench, FAULTS)


@pytest.mark.parametrize(("name", "mode"), parameters(FAULTS))
def test_close_becomes_one_row_and_all_goes_on(
    met: dict[tuple[str, str], Met], name: str, mode: str
) -> None:
    check(FAULTS[name], mode, met[name, mode])


# Without a connection


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("host", "error"),
    [("127.0.0.1", "connection refused"), ("no-such-host.invalid", "name not resolved")],
)
def test_nobody_there_is_one_row_for_each_request(
    bench: Bench, host: str, error: str, mode: str
) -> None:
    table = bench.run(
        f"http://{host}:{free_port()}/",
        Sequential(requests=3),
        connections=mode,
        request={"method": "POST", "body": "{i}"},
    )
    assert table.text("error") == [error] * 3
    assert table.number("iteration").tolist() == [0, 1, 2]


# Before a request has been read


def on_first(fault: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """Meet the first connection with the fault, answer over the others."""

    def script(peer: Peer) -> None:
        if peer.number == 1:
            fault(peer)
            return
        while peer.request():
            peer.send(respond())

    return script


def half_a_request(peer: Peer) -> None:
    peer.socket.recv(10)


def greeting(peer: Peer) -> None:
    peer.send(b"220 mail.example.test ESMTP\r\n")
    peer.server.stopping.wait()


EARLY = {
    "reset on accept": (lambda peer: peer.reset(), ("connection reset",)),
    # Whether the client has sent by then, and so is answered with a reset, is a race.
    "closed on accept": (lambda peer: None, ("closed before the response", "connection reset")),
    "closed in the request": (half_a_request, ("connection reset",)),
    "bytes before the request": (greeting, ("not an HTTP response",)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EARLY)
def test_fault_before_the_request_costs_one_row(
    bench: Bench, serve: Serve, name: str, mode: str
) -> None:
    fault, errors = EARLY[name]
    server = serve(on_first(fault))
    table = bench.run(
        server.url + "/{i}",
        Sequential(requests=3),
        connections=mode,
        request={"method": "POST", "body": "{i}" * 1000},
    )
    found = rows(table)
    assert found[0]["outcome"] in ("connection error", "other")
    assert found[0]["error"] in errors
    assert [row["outcome"] for row in found[1:]] == ["success", "success"]
    assert [request.split()[1] for request in server.requests] == [b"/2", b"/3"]


def test_reset_of_an_idle_connection_costs_no_request(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(respond())
        peer.server.stopping.wait(0.1)
        peer.reset()

    server = serve(script)
    table = bench.run(
        server.url, Sequential(requests=3, pause_seconds=0.5), connections="keep-alive"
    )
    assert table.text("outcome") == ["success"] * 3
    assert server.connections == len(server.requests) == 3


@pytest.mark.parametrize("mode", MODES)
def test_close_behind_the_answer_never_sends_a_request_twice(
    bench: Bench, serve: Serve, mode: str
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(ANSWER)  # without saying that it will close

    server = serve(script)
    table = bench.run(
        server.url + "/{i}",
        Sequential(requests=10),
        connections=mode,
        request={"method": "POST", "body": "{i}"},
    )
    assert len(table) == 10
    # A request can cross the close on its way: then it is lost, which its row says.
    crossed = {"closed before the response", "connection reset"}
    assert set(table.text("error")) <= ({"", *crossed} if mode == "keep-alive" else {""})
    answered = [row["iteration"] + 1 for row in rows(table) if row["outcome"] == "success"]
    assert [int(request.split()[1][1:]) for request in server.requests] == answered


# A request that is larger than what the server and the network take

HUGE = {"method": "POST", "body": "x" * 20_000_000}


@pytest.mark.parametrize("mode", MODES)
def test_server_that_reads_nothing_of_a_huge_request(
    own_bench: Bench, serve: Serve, mode: str
) -> None:
    gone: list[int] = []

    def script(peer: Peer) -> None:
        peer.server.stopping.wait(1.5)
        drain(peer)
        gone.append(peer.number)

    generator = psutil.Process(own_bench.process.pid)
    before = generator.num_fds()
    table = own_bench.run(
        serve(script).url,
        VirtualUsers(users=2, requests=2),
        connections=mode,
        request=HUGE,
        timeout_seconds=1.0,
    )
    assert set(table.text("error")) == {"no response within 1 s"}
    own_bench.until(lambda: len(gone) == 2 and generator.num_fds() <= before)


@pytest.mark.parametrize("mode", MODES)
def test_answer_before_a_huge_request_is_read_ends_the_connection(
    own_bench: Bench, serve: Serve, mode: str
) -> None:
    generator = psutil.Process(own_bench.process.pid)
    before = generator.num_fds()

    def script(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.send(respond(b"too large", "413 Content Too Large"))
        peer.server.stopping.wait()

    server = serve(script)
    table = own_bench.run(
        server.url, Sequential(requests=3), connections=mode, request=HUGE, timeout_seconds=5.0
    )
    assert table.text("error") == ["HTTP 413"] * 3
    assert server.connections == 3
    # Though the server never reads the rest.
    own_bench.until(lambda: generator.num_fds() <= before)


def drain(peer: Peer) -> None:
    """Read until the client has closed or reset the connection."""
    peer.socket.settimeout(BOUND_SECONDS)
    try:
        while peer.socket.recv(1 << 20):
            pass
    except ConnectionError:
        peer.socket.shutdown(socket.SHUT_RDWR)
