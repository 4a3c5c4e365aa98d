"""Answers that are malformed, odd or cut: one row each with its cause, then all goes on."""

from __future__ import annotations

import pytest
from fault_bench import Fault, Met, check, meet_all, parameters, sends
from load_bench import Bench, Peer, respond

SHORT_TIMEOUT = {"timeout_seconds": 1.0}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: "
HEADER_TOO_LARGE = "header larger than 256 KiB"
CUT = "closed before the end of the response"


def malformed(data: bytes, reason: str) -> Fault:
    return Fault(sends(data), "other", f"malformed response: {reason}")


def no_http(data: bytes) -> Fault:
    return Fault(sends(data), "other", "not an HTTP response")


def cut(data: bytes) -> Fault:
    return Fault(sends(data, then="fin"), "connection error", CUT)


def late(data: bytes) -> Fault:
    return Fault(sends(data), "timeout", "response not complete within 1 s", options=SHORT_TIMEOUT)


def fine(data: bytes, *, kept: bool = True, then: str = "", **request: object) -> Fault:
    options = {"request": request} if request else {}
    return Fault(sends(data, then=then), "success", "", kept=kept, options=options)


def interim_without_end(peer: Peer) -> None:
    for _ in range(20_000):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def byte_by_byte(peer: Peer) -> None:
    for byte in respond():
        peer.send(bytes([byte]))
        peer.server.stopping.wait(0.002)


def dripping(peer: Peer) -> None:
    peer.send(LENGTH + b"100000\r\n\r\n")
    while not peer.server.stopping.wait(0.02):
        peer.send(b"x")


FAULTS: dict[str, Fault] = {
    # Content-Length
    "length too long, open": late(LENGTH + b"10\r\n\r\nhalf"),
    "length too long, closed": cut(LENGTH + b"10\r\n\r\nhalf"),
    "length too short": fine(LENGTH + b"2\r\n\r\nabcdef", kept=False),
    "length negative": malformed(LENGTH + b"-1\r\n\r\n", "invalid character in content-length"),
    "length not a number": malformed(
        LENGTH + b"ten\r\n\r\n", "invalid character in content-length"
    ),
    "length hexadecimal": malformed(
        LENGTH + b"0x2\r\n\r\nab", "invalid character in content-length"
    ),
    "length beyond 64 bits": malformed(LENGTH + b"9" * 30 + b"\r\n\r\n", "content-length overflow"),
    "length empty": malformed(LENGTH + b"\r\n\r\n", "empty content-length"),
    "length twice, different": malformed(
        LENGTH + b"1\r\nContent-Length: 2\r\n\r\nab", "duplicate content-length"
    ),
    "length twice, the same": malformed(
        LENGTH + b"2\r\nContent-Length: 2\r\n\r\nab", "duplicate content-length"
    ),
    "length and chunked": malformed(
        LENGTH + b"2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding can't be present with content-length",
    ),
    # chunks
    "chunk size not hexadecimal": malformed(
        CHUNKED + b"zz\r\nab\r\n", "invalid character in chunk size"
    ),
    "chunk size empty": malformed(CHUNKED + b"\r\nab\r\n", "invalid character in chunk size"),
    "chunk size negative": malformed(CHUNKED + b"-2\r\nab\r\n", "invalid character in chunk size"),
    "chunk size beyond 64 bits": malformed(CHUNKED + b"f" * 20 + b"\r\nab", "chunk size overflow"),
    "chunk size huge, open": late(CHUNKED + b"ffffffff\r\nab"),
    "chunk size huge, closed": cut(CHUNKED + b"ffffffff\r\nab"),
    "chunk without its line break": malformed(
        CHUNKED + b"2\r\nab2\r\nab\r\n0\r\n\r\n", "expected lf after chunk data"
    ),
    "last chunk missing, closed": cut(CHUNKED + b"2\r\nab\r\n"),
    "last chunk without its line break, open": late(CHUNKED + b"2\r\nab\r\n0\r\n"),
    "last chunk without its line break, closed": cut(CHUNKED + b"2\r\nab\r\n0\r\n"),
    "trailers": fine(CHUNKED + b"2\r\nab\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"),
    "chunk extension": fine(CHUNKED + b'2;a="b"\r\nab\r\n0\r\n\r\n'),
    "chunked, but not last, to the end": fine(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nab", kept=False, then="fin"
    ),
    # headers
    "header line without colon": malformed(
        b"HTTP/1.1 200 OK\r\nX-A\r\n\r\n", "invalid header token"
    ),
    "header with NUL": malformed(
        b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n", "invalid header value char"
    ),
    "header name with a space": malformed(
        b"HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n", "invalid header token"
    ),
    "header folded": malformed(
        b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "unexpected whitespace after header value",
    ),
    "header lines ended by LF alone": malformed(
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "missing expected cr after response line"
    ),
    "header of a megabyte, one line": Fault(
        sends(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1_000_000), "other", HEADER_TOO_LARGE
    ),
    "header of a megabyte, many lines": Fault(
        sends(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 125_000), "other", HEADER_TOO_LARGE
    ),
    "header without end, open": late(LENGTH + b"0\r\n"),
    "header without end, closed": cut(LENGTH + b"0\r\n"),
    # status lines
    "status line of another protocol": no_http(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "HTTP/0.9": no_http(b"<html>hello</html>"),
    "HTTP/2": no_http(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04"),
    "HTTP/3.7": malformed(b"HTTP/3.7 200 OK\r\n\r\n", "invalid http version"),
    "TLS alert": no_http(b"\x15\x03\x01\x00\x02\x02\x46"),
    "zeros": no_http(bytes(4096)),
    "a request": no_http(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "status of two digits": malformed(
        b"HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n", "invalid status code"
    ),
    "status of four digits": malformed(
        b"HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n", "invalid response status"
    ),
    "status 099": malformed(
        b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n", "invalid status code"
    ),
    "status 000": malformed(
        b"HTTP/1.1 000 Low\r\nContent-Length: 0\r\n\r\n", "invalid status code"
    ),
    "status not a number": malformed(b"HTTP/1.1 abc OK\r\n\r\n", "invalid status code"),
    "status 999": Fault(
        sends(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"),
        "other",
        "unexpected status 999",
        kept=True,
    ),
    "status line without a reason": fine(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
    # interim responses, upgrades, answers without a body
    "interim responses, then the answer": fine(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + respond()
    ),
    "interim responses without end": Fault(interim_without_end, "other", HEADER_TOO_LARGE),
    "interim response, then silence": late(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim response, then the end": cut(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "101": Fault(
        sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx"),
        "other",
        "unexpected status 101",
    ),
    "204 with a body": fine(
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nab",
        kept=False,
        success_statuses=(200, 204),
    ),
    "304 with a length and no body": fine(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", success_statuses=(200, 304)
    ),
    "304 with a body": fine(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nab",
        kept=False,
        success_statuses=(200, 304),
    ),
    # bodies that end with the connection
    "to the end of the connection": fine(b"HTTP/1.1 200 OK\r\n\r\nab", kept=False, then="fin"),
    "HTTP/1.0 to the end": fine(b"HTTP/1.0 200 OK\r\n\r\nab", kept=False, then="fin"),
    "HTTP/1.0 with a length": fine(LENGTH.replace(b"1.1", b"1.0") + b"2\r\n\r\nab", kept=False),
    "HTTP/1.0 kept alive": fine(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab"
    ),
    "Connection: close, and open": fine(respond(headers=("Connection: close",)), kept=False),
    # too much, too slow
    "a second answer behind the first": fine(respond() + respond(), kept=False),
    "rubbish behind the answer": fine(respond() + b"\xff\x00rubbish\r\n\r\n", kept=False),
    "half an answer behind the answer": fine(respond() + b"HTTP/1.1 2", kept=False),
    "byte by byte": Fault(byte_by_byte, "success", "", kept=True),
    "dripping without end": Fault(
        dripping, "timeout", "response not complete within 1 s", options=SHORT_TIMEOUT
    ),
}


@pytest.fixture(scope="module")
def met(shared_bench: Bench) -> dict[tuple[str, str], Met]:
    return meet_all(shared_bench, FAULTS)


@pytest.mark.parametrize(("name", "mode"), parameters(FAULTS))
def test_answer_becomes_one_row_and_all_goes_on(
    met: dict[tuple[str, str], Met], name: str, mode: str
) -> None:
    check(FAULTS[name], mode, met[name, mode])
