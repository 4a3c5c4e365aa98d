"""Connections that fail in every way: a row with the right cause, nothing hangs, nothing leaks."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from load_bench import Bench, Peer, RawServer, free_port, respond, rows

from qa_runner.load.plan import Burst, Sequential, VirtualUsers

Serve = Callable[..., RawServer]


def silent(peer: Peer) -> None:
    peer.server.stopping.wait()


def test_refused(bench: Bench) -> None:
    row = bench.row(f"http://127.0.0.1:{free_port()}/")
    assert (row["outcome"], row["error"]) == ("connection error", "connection refused")
    assert row["finished"] >= row["started"]
    assert row["connected"] != row["connected"]  # NaN: not reached


def test_name_that_does_not_exist(bench: Bench) -> None:
    table = bench.run("http://no-such-host.invalid/", VirtualUsers(users=3, requests=6))
    assert table.text("error") == ["name not resolved"] * 6
    assert set(table.text("outcome")) == {"connection error"}


def test_name_is_looked_up_once_and_who_paid_for_it_says_so(bench: Bench, answering: Serve) -> None:
    server = answering()
    table = bench.run(f"http://localhost:{server.port}/", Sequential(requests=3))
    assert table.text("outcome") == ["success"] * 3
    waited = (table.number("resolved") - table.number("started")).tolist()
    assert waited[0] > 0
    assert waited[1:] == [0, 0]


def test_ipv6(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(respond())

    try:
        server = serve(script, socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    assert bench.row(f"http://[::1]:{server.port}/")["outcome"] == "success"
    assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0]


def test_reset_on_accept(bench: Bench, serve: Serve) -> None:
    row = bench.row(serve(lambda peer: peer.reset()).url)
    assert (row["outcome"], row["error"]) == ("connection error", "connection reset")


def test_reset_in_the_middle_of_a_body_that_ends_with_the_connection(
    bench: Bench, serve: Serve
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        peer.server.stopping.wait(0.1)
        peer.reset()

    row = bench.row(serve(script).url)
    assert (row["outcome"], row["error"]) == ("connection error", "connection reset")


def test_silence_ends_with_the_timeout(bench: Bench, serve: Serve) -> None:
    row = bench.row(serve(silent).url, timeout_seconds=0.25)
    assert (row["outcome"], row["error"]) == ("timeout", "no response within 0.25 s")
    assert row["finished"] - row["started"] >= 0.25
    assert row["connected"] >= row["started"]


def test_dripping_body_ends_with_the_total_timeout(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not peer.server.stopping.wait(0.02):
            peer.send(b"x")

    row = bench.row(serve(script).url, timeout_seconds=0.3)
    assert (row["outcome"], row["error"]) == ("timeout", "response not complete within 0.3 s")
    assert row["first_byte"] < row["finished"]


@pytest.mark.skipif(sys.platform != "linux", reason="a full backlog drops packets on Linux only")
def test_connect_timeout(bench: Bench) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        fillers = []
        for _ in range(3):  # fill the backlog: later connects get no answer
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        time.sleep(0.1)
        row = bench.row(f"http://127.0.0.1:{port}/", connect_timeout_seconds=0.2)
        for filler in fillers:
            filler.close()
    assert (row["outcome"], row["error"]) == ("timeout", "connect timeout")
    assert row["finished"] - row["started"] >= 0.2


def test_timeouts_of_many_are_each_their_own(bench: Bench, serve: Serve) -> None:
    table = bench.run(
        serve(silent).url, Burst(requests=20, stagger_seconds=0.01), timeout_seconds=0.3
    )
    taken = table.number("finished") - table.number("started")
    assert set(table.text("outcome")) == {"timeout"}
    assert taken.min() >= 0.3
    assert sorted(table.number("iteration").tolist()) == list(range(20))


def test_server_that_closes_between_requests_costs_a_connection_not_a_request(
    bench: Bench, serve: Serve
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(respond())  # without saying that it will close

    server = serve(script)
    table = bench.run(
        server.url, Sequential(requests=4, pause_seconds=0.3), connections="keep-alive"
    )
    assert table.text("outcome") == ["success"] * 4
    assert server.connections == 4
    assert len(server.requests) == 4


def test_request_that_was_sent_is_never_sent_again(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(respond())
        peer.request()  # received, and never answered

    server = serve(script)
    table = bench.run(
        server.url,
        Sequential(requests=4),
        connections="keep-alive",
        request={"method": "POST", "body": "{i}"},
    )
    assert table.text("outcome") == ["success", "connection error"] * 2
    assert table.text("error")[1] == "closed before the response"
    assert [request[-1:] for request in server.requests] == [b"1", b"2", b"3", b"4"]


def test_bytes_on_an_idle_connection_end_it(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(respond())
            peer.server.stopping.wait(0.05)
            peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")

    server = serve(script)
    table = bench.run(
        server.url, Sequential(requests=3, pause_seconds=0.4), connections="keep-alive"
    )
    assert table.text("outcome") == ["success"] * 3
    assert server.connections == 3


def test_nothing_leaks(own_bench: Bench, serve: Serve, answering: Serve) -> None:
    def closing(peer: Peer) -> None:
        peer.request()

    generator = psutil.Process(own_bench.process.pid)
    ways = [
        answering().url,
        serve(closing).url,
        serve(lambda peer: peer.reset()).url,
        serve(silent).url,
        f"https://127.0.0.1:{serve(silent).port}",
        f"http://127.0.0.1:{free_port()}/",
    ]
    own_bench.run(ways[0], Burst(requests=5))
    before = generator.num_fds()
    for url in ways:
        for connections in ("new", "keep-alive"):
            table = own_bench.run(
                url,
                VirtualUsers(users=10, requests=20),
                connections=connections,
                timeout_seconds=0.2,
            )
            assert len(table) == 20
    own_bench.until(lambda: generator.num_fds() <= before)


# https


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is not there to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(path), "-out", f"{path}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(str(path) + ".crt").read_text())
    return path


def tls_script(certificate: Path) -> Callable[[Peer], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def script(peer: Peer) -> None:
        peer.socket = context.wrap_socket(peer.socket, server_side=True)
        while peer.request():
            peer.send(respond())

    return script


def test_self_signed_certificate_is_refused_unless_told_otherwise(
    bench: Bench, serve: Serve, certificate: Path
) -> None:
    server = serve(tls_script(certificate))
    url = f"https://127.0.0.1:{server.port}/"
    row = bench.row(url)
    assert row["outcome"] == "connection error"
    assert row["error"].startswith("certificate not trusted: self")
    assert server.requests == []
    for connections, opened in (("new", 3), ("keep-alive", 1)):
        before = server.connections
        table = bench.run(url, Sequential(requests=3), verify_tls=False, connections=connections)
        assert table.text("outcome") == ["success"] * 3
        assert server.connections - before == opened
        first = rows(table)[0]
        assert first["started"] < first["connected"] < first["secured"] < first["first_byte"]


def test_https_to_a_server_without_tls(bench: Bench, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.server.stopping.wait(0.2)

    row = bench.row(f"https://127.0.0.1:{serve(script).port}/")
    assert row["outcome"] == "connection error"
    assert row["error"].startswith("TLS failed: ")


def test_handshake_that_hangs_ends_with_the_connect_timeout(bench: Bench, serve: Serve) -> None:
    url = f"https://127.0.0.1:{serve(silent).port}/"
    row = bench.row(url, connect_timeout_seconds=0.2)
    assert (row["outcome"], row["error"]) == ("timeout", "connect timeout")
    assert row["connected"] < row["finished"]


def test_server_that_is_killed_mid_load(bench: Bench) -> None:
    code = (
        "import http.server, sys\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), "
        "http.server.BaseHTTPRequestHandler)\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        handle = bench.submit(
            f"http://127.0.0.1:{port}/",
            VirtualUsers(users=4, duration_seconds=30, think_time_seconds=0.02),
        )
        bench.until(lambda: handle.progress.done >= 20)
        os.kill(server.pid, 9)
        server.wait()
        done = handle.progress.done
        bench.until(lambda: handle.progress.done >= done + 20)
        handle.stop()
        bench.wait(handle)
    table = handle.take()
    assert table.text("outcome")[0] == "server error"  # 501: it knows no GET
    assert "connection refused" in table.text("error")
