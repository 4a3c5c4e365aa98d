"""gzip and deflate: decoded for those who look, never without bound, broken ones found."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_bench import Bench, RawServer, respond

from qa_runner.load.check import Checker
from qa_runner.load.content_coding import BadCoding, decoded_body
from qa_runner.load.plan import RequestTemplate
from qa_runner.load.response import MAX_BODY_BYTES, Response, ResponseReader


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    " deflate ": raw_deflate,
    "identity": bytes,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
}


def response(body: bytes, coding: str = "gzip", status: str = "200 OK") -> Response:
    raw = respond(body, status, (f"Content-Encoding: {coding}",))
    made = ResponseReader().feed(raw)
    assert made is not None
    return made


def checker(**asked: object) -> Checker:
    return Checker(RequestTemplate(method="GET", url="", **asked))  # type: ignore[arg-type]


@given(st.binary(max_size=5000), st.sampled_from(sorted(ENCODERS)))
def test_what_was_encoded_comes_back(data: bytes, coding: str) -> None:
    assert decoded_body(response(ENCODERS[coding](data), coding)) == (data, True)


def test_members_follow_each_other() -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0"
    assert decoded_body(response(body)) == (b"one two", True)


@given(st.integers(0, 200), st.sampled_from(["gzip", "deflate"]))
def test_a_body_cut_anywhere_is_not_taken_for_whole(cut: int, coding: str) -> None:
    whole = ENCODERS[coding](bytes(range(256)))
    part = whole[: min(cut, len(whole) - 1)]
    if not part:  # nothing is nothing, in any coding
        return
    with pytest.raises(BadCoding, match=r"cut off|broken"):
        decoded_body(response(part, coding))


@given(
    st.binary(min_size=1, max_size=200), st.sampled_from(["gzip", "deflate", "br", "deflate, gzip"])
)
def test_any_bytes_are_decoded_or_refused(data: bytes, coding: str) -> None:
    try:
        body, _ = decoded_body(response(data, coding))
    except BadCoding as error:
        assert "\n" not in str(error)  # noqa: PT017 (either may happen)
    else:
        assert len(body) <= MAX_BODY_BYTES


BOMBS = {
    "gzip": gzip.compress(bytes(300 * MAX_BODY_BYTES)),
    "deflate": zlib.compress(bytes(300 * MAX_BODY_BYTES)),
    "gzip, gzip": gzip.compress(gzip.compress(bytes(300 * MAX_BODY_BYTES))),
}


@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_takes_no_more_than_the_bound(coding: str) -> None:
    bomb = response(BOMBS[coding], coding)
    tracemalloc.start()
    try:
        body, whole = decoded_body(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(body), whole) == (MAX_BODY_BYTES, False)
    assert peak < 8 * MAX_BODY_BYTES
    found = checker(required=("a",)).judge(bomb, "")
    assert (found.outcome, found.error) == ("invalid", "body larger than 1024 KiB, not checked")


def test_many_empty_members_are_given_up() -> None:
    with pytest.raises(BadCoding, match="more than 64 members"):
        decoded_body(response(gzip.compress(b"") * 10_000))


@pytest.mark.parametrize("size", [MAX_BODY_BYTES - 1, MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
def test_the_bound_is_exact(size: int) -> None:
    for coding in ("gzip", "deflate"):
        body, whole = decoded_body(response(ENCODERS[coding](bytes(size)), coding))
        assert (len(body), whole) == (min(size, MAX_BODY_BYTES), size <= MAX_BODY_BYTES)


def test_nobody_looks_nobody_decodes() -> None:
    assert checker().judge(response(b"no gzip at all"), "").outcome == "success"
    assert checker(server_timing=True).judge(response(b"no gzip"), "").outcome == "success"


@pytest.mark.parametrize(
    ("body", "coding", "said"),
    [
        # Without a time in them, for the tests are named after them in each process.
        (b"no gzip at all", "gzip", "broken gzip body: incorrect header check"),
        (gzip.compress(b'{"a":1}', mtime=0)[:-9], "gzip", "gzip body is cut off"),
        (b'{"a":1}', "br", "body in the content coding br, not read"),
        (b'{"a":1}', "gzip, gzip, gzip, gzip, gzip", "body in 5 content codings, not read"),
        (
            gzip.compress(b'{"a":1}', mtime=0)[:-8] + b"12345678",
            "gzip",
            "broken gzip body: incorrect data check",
        ),
        (gzip.compress(b"", mtime=0), "gzip", "empty body"),
    ],
)
def test_a_broken_body_is_invalid_with_its_cause(body: bytes, coding: str, said: str) -> None:
    found = checker(required=("a",)).judge(response(body, coding), "")
    assert (found.outcome, found.error) == ("invalid", said)


def test_messages_of_errors_are_read_from_encoded_bodies() -> None:
    body = gzip.compress(b'{"detail":"database is locked"}')
    found = checker().judge(response(body, status="503 No"), "")
    assert (found.outcome, found.error) == ("server error", "HTTP 503: database is locked")
    assert found.excerpt == '{"detail":"database is locked"}'
    broken = checker().judge(response(b"no gzip", status="503 No"), "")
    assert (broken.outcome, broken.error, broken.excerpt) == ("server error", "HTTP 503", "")


def test_values_come_out_of_encoded_bodies_over_the_wire(
    bench: Bench, answering: Callable[..., RawServer]
) -> None:
    body = gzip.compress(json.dumps({"items": [{"id": "x1"}]}).encode())
    row = bench.row(
        answering(respond(body, headers=("Content-Encoding: gzip",))).url,
        request={"required": ("items.0.id",), "extract": (("id", "items.0.id"),)},
    )
    assert (row["outcome"], row["extracted"]) == ("success", '{"id":"x1"}')
