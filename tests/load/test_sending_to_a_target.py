"""What a target asks of every request reaches it, and nobody else."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import msgspec
import pytest
import trustme
from load_bench import Bench, Peer, RawServer, respond

from qa_runner.load.plan import RequestTemplate, Sequential
from qa_runner.part_record import PartRecord
from qa_runner.sending import Sending

Serve = Callable[..., RawServer]

KEY = "key-0f-the-gateway"
TOKEN = "Bearer t0ken-0f-the-api"  # noqa: S105 (of nobody)


@pytest.fixture
def seen() -> list[bytes]:
    """The heads of requests, as a server of these tests saw them."""
    return []


@pytest.fixture
def https(serve: Serve, seen: list[bytes]) -> RawServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def script(peer: Peer) -> None:
        peer.socket = context.wrap_socket(peer.socket, server_side=True)
        while head := peer.request():
            seen.append(head)
            peer.send(respond())

    return serve(script)


def sending(bench: Bench, url: str, record: PartRecord, *, verify_tls: bool) -> Sending:
    instruments = bench.instruments(
        url,
        headers=(("X-Gateway", KEY), ("Authorization", TOKEN)),
        verify_tls=verify_tls,
    )
    assert KEY not in repr(instruments)
    return Sending(instruments, record, "r1")


def test_headers_reach_the_target_and_not_the_record(
    own_bench: Bench, https: RawServer, seen: list[bytes]
) -> None:
    record = PartRecord(id="1.1", step=1, attempt=1, start=0.0)
    url = f"https://127.0.0.1:{https.port}"
    out = sending(own_bench, url, record, verify_tls=False)
    for path in ("/orders/", f"{url}/orders/"):
        request = RequestTemplate(method="GET", url=path, headers=(("Accept", "text/html"),))
        out.finish(out.submit(Sequential(requests=2), request, "main", 10.0, "new"))
    assert [load.outcomes for load in record.loads] == [{"success": 2}, {"success": 2}]
    assert len(seen) == 4
    for head in seen:
        assert f"X-Gateway: {KEY}\r\n".encode() in head
        assert f"Authorization: {TOKEN}\r\n".encode() in head
    for load in record.loads:
        assert load.request.splitlines()[:4] == [
            f"GET {url}/orders/",
            "Accept: text/html",
            "X-Gateway: [redacted]",
            "Authorization: [redacted]",
        ]
        stored = msgspec.json.encode(load)
        assert KEY.encode() not in stored
        assert TOKEN.encode() not in stored


def test_a_certificate_is_checked_unless_told_otherwise(
    own_bench: Bench, https: RawServer, seen: list[bytes]
) -> None:
    record = PartRecord(id="1.1", step=1, attempt=1, start=0.0)
    out = sending(own_bench, f"https://127.0.0.1:{https.port}", record, verify_tls=True)
    request = RequestTemplate(method="GET", url="/")
    sent = out.finish(out.submit(Sequential(requests=1), request, "main", 10.0, "new"))
    assert "certificate not trusted" in sent.samples.text("error")[0]
    assert seen == []


def test_another_server_gets_none_of_it(own_bench: Bench, serve: Serve, seen: list[bytes]) -> None:
    def script(peer: Peer) -> None:
        seen.append(peer.request())
        peer.send(respond())

    record = PartRecord(id="1.1", step=1, attempt=1, start=0.0)
    out = sending(own_bench, "http://127.0.0.1:1", record, verify_tls=True)
    request = RequestTemplate(method="GET", url=f"{serve(script).url}/")
    out.finish(out.submit(Sequential(requests=1), request, "main", 10.0, "new"))
    assert len(seen) == 1
    assert KEY.encode() not in seen[0]
    assert b"Authorization" not in seen[0]
