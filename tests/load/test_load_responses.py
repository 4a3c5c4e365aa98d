"""Responses of every kind, from a real socket: each ends as one row with the right outcome."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from load_bench import Bench, Peer, RawServer, respond, rows

from qa_runner.load.plan import Sequential

Serve = Callable[..., RawServer]

JSON_BODY = b'{"success":true,"transaction_id":7}'
REQUIRED = {"required": ("success", "transaction_id"), "extract": (("id", "transaction_id"),)}
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'8;x=y\r\n{"succes\r\n1B\r\ns":true,"transaction_id":7}\r\n0\r\nX-Trailer: 1\r\n\r\n'
)
VALID = {
    "content-length": respond(JSON_BODY),
    "chunked": CHUNKED,
    "read-to-close": b"HTTP/1.1 200 OK\r\n\r\n" + JSON_BODY,
    "read-to-close-1.0": b"HTTP/1.0 200 OK\r\nX-Empty:\r\n\r\n" + JSON_BODY,
    "1.0-with-length": b"HTTP/1.0 200 OK\r\nContent-Length: 35\r\n\r\n" + JSON_BODY,
    "100-continue": b"HTTP/1.1 100 Continue\r\n\r\n" + respond(JSON_BODY),
    "103-early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + respond(JSON_BODY),
    "connection-close": respond(JSON_BODY, headers=("Connection: close",)),
    "empty-header": respond(JSON_BODY, headers=("X-Empty:", "X-Other: 1")),
}


@pytest.mark.parametrize("kind", VALID)
@pytest.mark.parametrize("connections", ["new", "keep-alive"])
def test_valid_response_succeeds_however_it_is_framed(
    bench: Bench, answering: Serve, kind: str, connections: str
) -> None:
    to_close = kind.startswith(("read-to-close", "1.0"))
    server = answering(VALID[kind], close=to_close)
    table = bench.run(server.url, Sequential(requests=3), connections=connections, request=REQUIRED)
    for row in rows(table):
        assert (row["outcome"], row["status"], row["error"]) == ("success", 200, "")
        assert row["json_object"] == 1
        assert row["extracted"] == '{"id":7}'
        assert row["bytes_received"] == len(VALID[kind])
    kept = connections == "keep-alive" and not to_close and kind != "connection-close"
    assert server.connections == (1 if kept else 3)
    assert table.number("reused").tolist() == ([0, 1, 1] if kept else [0, 0, 0])


@pytest.mark.parametrize("kind", VALID)
def test_response_cut_at_every_byte(bench: Bench, serve: Serve, kind: str) -> None:
    data = VALID[kind]
    cuts = range(1, len(data))

    def script(peer: Peer) -> None:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = peer.request()
        cut = int(request.split(b"/cut/")[1].split(b" ")[0])
        peer.send(data[:cut])
        peer.server.stopping.wait(0.002)
        peer.send(data[cut:])

    server = serve(script)
    table = bench.run(server.url + "/cut/{i}", Sequential(requests=len(cuts)), request=REQUIRED)
    assert set(table.text("outcome")) == {"success"}
    assert set(table.text("extracted")) == {'{"id":7}'}
    assert set(table.number("bytes_received").tolist()) == {len(data)}


@pytest.mark.parametrize("kind", ["content-length", "chunked"])
def test_response_that_ends_early_is_no_response(bench: Bench, serve: Serve, kind: str) -> None:
    data = VALID[kind]

    def script(peer: Peer) -> None:
        cut = int(peer.request().split(b"/cut/")[1].split(b" ")[0]) - 1
        peer.send(data[:cut])

    table = bench.run(
        serve(script).url + "/cut/{i}", Sequential(requests=len(data)), request=REQUIRED
    )
    assert len(table) == len(data)
    assert set(table.text("outcome")) == {"connection error"}
    assert set(table.text("error")) == {
        "closed before the response",
        "closed before the end of the response",
    }
    assert set(table.number("status").tolist()) == {0}


ODD: dict[str, tuple[bytes, str, str]] = {
    "garbage": (b"\x00\xff\x13SSH-2.0-OpenSSH_9\r\n", "other", "not an HTTP response"),
    "text": (b"hello\r\n\r\n", "other", "not an HTTP response"),
    "bad chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n",
        "other",
        "malformed response: invalid character in chunk size",
    ),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "other",
        "malformed response: duplicate content-length",
    ),
    "huge header": (
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 1_000_000,
        "other",
        "header larger than 256 KiB",
    ),
    "nothing": (b"", "connection error", "closed before the response"),
    "upgrade": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "other",
        "unexpected status 101",
    ),
    "redirect": (
        respond(b"", "302 Found", ("Location: https://u:pw@else.test/login?token=abcdef",)),
        "other",
        "redirect to https://[redacted]@else.test/login?token=[redacted]",
    ),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n", "other", "unexpected status 304"),
    "other success": (respond(b"{}", "202 Accepted"), "other", "unexpected status 202"),
    "throttled": (
        respond(b'{"detail":"Slow down."}', "429 Too Many Requests", ("Retry-After: 9",)),
        "throttled",
        "HTTP 429: Slow down.",
    ),
    "client error": (respond(b"{}", "404 Not Found"), "client error", "HTTP 404"),
    "server error": (
        respond(b"<html><title>Oops &amp; more</title>x", "500 Internal Server Error"),
        "server error",
        "HTTP 500: Oops & more",
    ),
    "not json": (respond(b"<html>fine</html>"), "invalid", "body is not JSON"),
    "no object": (respond(b"[1]"), "invalid", "body is not a JSON object"),
    "empty": (respond(b""), "invalid", "empty body"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "other", "unexpected status 204"),
    "no success": (respond(b'{"success":false}'), "invalid", "success is false"),
    "incomplete": (respond(b'{"success":true}'), "invalid", "transaction_id is missing"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_response_has_its_outcome_and_cause(bench: Bench, serve: Serve, kind: str) -> None:
    data, outcome, error = ODD[kind]

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(data)

    row = bench.row(serve(script).url, request=REQUIRED)
    assert (row["outcome"], row["error"]) == (outcome, error)
    assert row["finished"] >= row["started"] >= row["due"]


def test_204_succeeds_without_a_body_and_keeps_the_connection(
    bench: Bench, answering: Serve
) -> None:
    server = answering(b"HTTP/1.1 204 No Content\r\n\r\n")
    table = bench.run(
        server.url,
        Sequential(requests=3),
        connections="keep-alive",
        request={"success_statuses": (204,)},
    )
    assert table.text("outcome") == ["success"] * 3
    assert server.connections == 1


def test_head_has_no_body_whatever_its_header_says(bench: Bench, answering: Serve) -> None:
    server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    table = bench.run(
        server.url, Sequential(requests=3), connections="keep-alive", request={"method": "HEAD"}
    )
    assert table.text("outcome") == ["success"] * 3
    assert server.connections == 1


def test_markup_control_characters_and_bad_utf8_are_kept_as_plain_text(
    bench: Bench, answering: Serve
) -> None:
    body = b"<b>\x00\x1b[31mno\xff\xfe</b>\r\n" + b"x" * 1000
    row = bench.row(answering(respond(body, "500 Oops")).url)
    assert row["outcome"] == "server error"
    assert row["excerpt"].startswith("<b>[31mno\ufffd\ufffd</b> xxx")
    assert len(row["excerpt"]) == 300
    assert row["json_object"] == 0


def test_megabyte_body_is_counted_but_not_taken_for_valid(bench: Bench, answering: Serve) -> None:
    body = b'{"success":true,"transaction_id":7,"x":"' + b"y" * 3_000_000 + b'"}'
    server = answering(respond(body))
    unchecked = bench.row(server.url)
    assert unchecked["outcome"] == "success"
    assert unchecked["bytes_received"] > 3_000_000
    checked = bench.row(server.url, request=REQUIRED)
    assert (checked["outcome"], checked["error"]) == (
        "invalid",
        "body larger than 1024 KiB, not checked",
    )


def test_body_just_within_the_bound_is_checked(bench: Bench, answering: Serve) -> None:
    body = b'{"success":true,"transaction_id":7,"x":"' + b"y" * 900_000 + b'"}'
    assert bench.row(answering(respond(body)).url, request=REQUIRED)["outcome"] == "success"


@pytest.mark.parametrize("behind", [respond(b"{}", "500 Unasked"), b"garbage\r\n"])
def test_bytes_behind_the_response_end_the_connection(
    bench: Bench, answering: Serve, behind: bytes
) -> None:
    server = answering(respond(JSON_BODY) + behind)
    table = bench.run(
        server.url, Sequential(requests=3), connections="keep-alive", request=REQUIRED
    )
    assert table.text("outcome") == ["success"] * 3
    assert server.connections == 3


def test_times_inside_the_server_are_kept_when_asked_for(bench: Bench, answering: Serve) -> None:
    headers = ('Server-Timing: db;dur=1.5;desc="3 queries"', "server-timing: app;dur=20")
    server = answering(respond(headers=headers))
    asked: dict[str, Any] = {"server_timing": True}
    row = bench.row(server.url, request=asked, tag="r1-s1")
    assert row["application_seconds"] == pytest.approx(0.02)
    assert row["database_seconds"] == pytest.approx(0.0015)
    assert row["queries"] == 3
    assert row["extracted"] == ""
    assert b"\r\nX-QA-Runner: r1-s1\r\n" in server.requests[0]
    row = bench.row(server.url)
    assert math.isnan(row["application_seconds"])
    assert math.isnan(row["database_seconds"])
    assert math.isnan(row["queries"])
    assert b"X-QA-Runner" not in server.requests[1]


def test_times_inside_the_server_of_errors_and_of_some_rows_only(
    bench: Bench, serve: Callable[..., RawServer]
) -> None:
    timing = ("Server-Timing: total;dur=7",)

    def script(peer: Peer) -> None:
        while peer.request():
            number = len(peer.server.requests)
            status = "500 No" if number == 3 else "200 OK"
            peer.send(respond(status=status, headers=timing if number in (1, 3) else ()))

    asked: dict[str, Any] = {"server_timing": True}
    table = bench.run(serve(script).url, Sequential(requests=4), request=asked)
    assert table.text("outcome") == ["success", "success", "server error", "success"]
    np.testing.assert_array_equal(
        table.number("application_seconds"), [0.007, math.nan, 0.007, math.nan]
    )
    assert np.isnan(table.number("queries")).all()


def test_of_an_endless_timing_header_the_front_counts(bench: Bench, answering: Serve) -> None:
    endless = "db;dur=5, " + ", ".join(f"x{i};dur={i}" for i in range(10_000)) + ", app;dur=9"
    server = answering(respond(headers=(f"Server-Timing: {endless}",)))
    row = bench.row(server.url, request={"server_timing": True})
    assert row["database_seconds"] == pytest.approx(0.005)
    assert math.isnan(row["application_seconds"])


def test_the_authors_own_run_header_is_the_one_sent(bench: Bench, answering: Serve) -> None:
    server = answering()
    asked: dict[str, Any] = {"server_timing": True, "headers": (("x-qa-runner", "mine"),)}
    bench.row(server.url, request=asked)
    assert server.requests[0].lower().count(b"x-qa-runner") == 1
    assert b"x-qa-runner: mine" in server.requests[0]


def test_own_key_stays_readable_and_others_do_not(bench: Bench, answering: Serve) -> None:
    body = b'{"error":"qa-t1-1@example.test taken by joe@corp.example","token":"s3cr3t"}'
    server = answering(respond(body, "400 Bad Request"))
    row = bench.row(server.url, request={"key": "qa-{tag}-{i}@example.test"})
    assert row["key"] == "qa-t1-1@example.test"
    assert row["error"] == "HTTP 400: qa-t1-1@example.test taken by [e-mail]"
    assert "s3cr3t" not in row["excerpt"]
    assert "qa-t1-1@example.test" in row["excerpt"]
