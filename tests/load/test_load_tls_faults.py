"""https: certificates that are refused unless told otherwise, handshakes that fail or never end."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import trustme
from fault_bench import MODES, until_closed
from load_bench import Bench, Peer, RawServer, respond, rows

from qa_runner.load.plan import Sequential, VirtualUsers

Serve = Callable[..., RawServer]
Script = Callable[[Peer], None]

YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
NOT_TRUSTED = "certificate not trusted: "


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A generator on a machine that trusts the authority, as an administrator sets it up."""
    path: Path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        bench = Bench()
    yield bench
    bench.process.close()


def tls(certificate: trustme.LeafCert, inside: Script) -> Script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def script(peer: Peer) -> None:
        peer.socket = context.wrap_socket(peer.socket, server_side=True)
        inside(peer)

    return script


def answer(peer: Peer) -> None:
    while peer.request():
        peer.send(respond())


@pytest.mark.parametrize("mode", MODES)
def test_trusted_certificate(
    trusting: Bench, serve: Serve, authority: trustme.CA, mode: str
) -> None:
    server = serve(tls(authority.issue_cert("127.0.0.1", "localhost"), answer))
    for host in ("127.0.0.1", "localhost"):
        table = trusting.run(
            f"https://{host}:{server.port}/", Sequential(requests=3), connections=mode
        )
        assert table.text("error") == [""] * 3
    assert server.connections == (6 if mode == "new" else 2)


def strange(authority: trustme.CA) -> trustme.LeafCert:
    return trustme.CA().issue_cert("127.0.0.1")


def expired(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert(
        "127.0.0.1", not_before=YESTERDAY - dt.timedelta(days=9), not_after=YESTERDAY
    )


def of_another_host(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("example.test")


REFUSED = {
    "unknown authority": (strange, "unable to get local issuer certificate"),
    "expired": (expired, "certificate has expired"),
    "of another host": (
        of_another_host,
        "IP address mismatch, certificate is not valid for '127.0.0.1'.",
    ),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
def test_certificate_is_refused_unless_told_otherwise(
    trusting: Bench, serve: Serve, authority: trustme.CA, name: str, mode: str
) -> None:
    make, reason = REFUSED[name]
    server = serve(tls(make(authority), answer))
    url = f"https://127.0.0.1:{server.port}/"
    refused = trusting.run(
        url, Sequential(requests=2), connections=mode, request={"method": "POST", "body": "secret"}
    )
    assert refused.text("outcome") == ["connection error"] * 2
    assert refused.text("error") == [NOT_TRUSTED + reason] * 2
    assert server.requests == []
    accepted = trusting.run(url, Sequential(requests=2), connections=mode, verify_tls=False)
    assert accepted.text("outcome") == ["success"] * 2


# Inside an encrypted connection


def cut_off(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")


def reset_inside(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    peer.reset()


def to_the_end(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nwhole")
    peer.socket = peer.socket.unwrap()  # type: ignore[attr-defined]  # an SSLSocket


def malformed(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
    until_closed(peer)


INSIDE: dict[str, tuple[Script, set[str]]] = {
    "cut off": (cut_off, {"closed before the end of the response"}),
    "reset": (reset_inside, {"connection reset"}),
    "to the end": (to_the_end, {""}),
    "malformed": (malformed, {"malformed response: invalid character in content-length"}),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", INSIDE)
def test_fault_inside_tls(
    trusting: Bench, serve: Serve, authority: trustme.CA, name: str, mode: str
) -> None:
    script, errors = INSIDE[name]
    server = serve(tls(authority.issue_cert("127.0.0.1"), script))
    table = trusting.run(
        f"https://127.0.0.1:{server.port}/", Sequential(requests=2), connections=mode
    )
    assert set(table.text("error")) == errors
    assert len(server.requests) == server.connections == 2


# Handshakes


def plain_http(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    until_closed(peer)


def hello_then_close(peer: Peer) -> None:
    peer.socket.recv(4096)


def hello_then_reset(peer: Peer) -> None:
    peer.socket.recv(4096)
    peer.reset()


HANDSHAKES: dict[str, tuple[Script, set[str]]] = {
    "plain HTTP": (plain_http, {"TLS failed: wrong version number"}),
    "closed": (hello_then_close, {"closed in the TLS handshake"}),
    "reset": (hello_then_reset, {"connection reset"}),
    "never ends": (lambda peer: peer.server.stopping.wait(), {"connect timeout"}),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshake_that_fails(trusting: Bench, serve: Serve, name: str, mode: str) -> None:
    script, errors = HANDSHAKES[name]
    generator = psutil.Process(trusting.process.pid)
    before = generator.num_fds()
    server = serve(script)
    table = trusting.run(
        f"https://127.0.0.1:{server.port}/",
        VirtualUsers(users=2, requests=4),
        connections=mode,
        connect_timeout_seconds=1.0,
    )
    assert set(table.text("error")) == errors
    assert server.connections == 4
    for row in rows(table):
        assert row["outcome"] == ("timeout" if name == "never ends" else "connection error")
        assert row["connected"] >= row["started"]
        assert row["sent"] != row["sent"]  # NaN: the request never went out
    trusting.until(lambda: generator.num_fds() <= before)


def test_http_to_a_server_that_wants_tls(
    trusting: Bench, serve: Serve, authority: trustme.CA
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def script(peer: Peer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        engine = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(peer.socket.recv(4096))
        with pytest.raises(ssl.SSLError):
            engine.do_handshake()
        peer.send(outgoing.read() or b"\x15\x03\x01\x00\x02\x02\x46")
        until_closed(peer)

    row = trusting.row(serve(script).url)
    assert (row["outcome"], row["error"]) == ("other", "not an HTTP response")
