"""The reader of responses, fed in every way: whole, cut anywhere, with rubbish, by shared heads."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from load_bench import respond

from qa_runner.load.response import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    KnownHeads,
    Malformed,
    Response,
    ResponseReader,
)

Seen = tuple[int, bytes, int, bool, list[tuple[bytes, bytes]]]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n7\r\n\r\nagain\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
ENDED = {
    "length": respond(b'{"a":1}', headers=("X-A:  two words \t", "Set-Cookie: a", "set-cookie: b")),
    "empty": respond(b""),
    "chunked": CHUNKED,
    "no content": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "interim": CONTINUE + HINTS + respond(b"body\r\n\r\nwith blank line"),
    "1.0 kept": b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nab",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
}
CLOSING = {
    "close": respond(b"ab", headers=("Connection: close",)),
    "1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
}
TO_CLOSE = {
    "to close": b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nbody",
    "1.0 to close": b"HTTP/1.0 500 Oops\r\n\r\nbody",
    "not chunked at last": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nbody",
    "interim, to close": CONTINUE + b"HTTP/1.1 200 OK\r\n\r\nbody",
}


CORPUS = {**ENDED, **CLOSING, **TO_CLOSE}


def seen(response: Response) -> Seen:
    return (
        response.status,
        response.body,
        response.body_bytes,
        response.keep_alive,
        response.headers,
    )


def feed(reader: ResponseReader, pieces: Iterable[bytes]) -> Response | None:
    """The response, which is to come with the last piece or not at all."""
    response = None
    for piece in pieces:
        assert response is None
        response = reader.feed(piece)
    return response


def read_whole(data: bytes) -> Seen:
    reader = ResponseReader()
    response = reader.feed(data) or reader.end()
    assert response is not None
    return seen(response)


def test_headers_are_those_of_the_final_response() -> None:
    status, body, size, keep_alive, headers = read_whole(ENDED["length"])
    assert (status, body, size, keep_alive) == (200, b'{"a":1}', 7, True)
    assert headers == [
        (b"Content-Length", b"7"),
        (b"X-A", b"two words"),
        (b"Set-Cookie", b"a"),
        (b"set-cookie", b"b"),
    ]
    assert read_whole(ENDED["interim"])[4] == [(b"Content-Length", b"23")]
    assert read_whole(CHUNKED)[1] == b"hello\r\nagain"
    assert read_whole(CHUNKED)[4] == [(b"X-Empty", b""), (b"Transfer-Encoding", b"chunked")]
    response = ResponseReader().feed(ENDED["length"])
    assert response is not None
    assert response.header(b"set-cookie") == "a, b"
    assert response.header(b"x-none") == ""


@pytest.mark.parametrize("kind", CORPUS)
def test_cut_in_two_anywhere_it_reads_the_same(kind: str) -> None:
    data = CORPUS[kind]
    whole = read_whole(data)
    reader = ResponseReader()
    for cut in range(1, len(data)):
        if kind not in ENDED:
            reader = ResponseReader()
        response = feed(reader, (data[:cut], data[cut:])) or reader.end()
        assert response is not None, cut
        assert seen(response) == whole, cut


@pytest.mark.parametrize("kind", CORPUS)
def test_beginning_of_a_response_is_none(kind: str) -> None:
    data = CORPUS[kind]
    for cut in range(len(data)):
        reader = ResponseReader()
        response = (reader.feed(data[:cut]) if cut else None) or reader.end()
        if kind not in TO_CLOSE:
            assert response is None, cut
        else:  # once the header is whole, nobody can tell that the body is not
            header = data.rindex(b"\r\n\r\n") + 4
            assert (response is not None) == (cut >= header), cut


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(sorted(ENDED)), min_size=1, max_size=6), st.data())
def test_cut_in_any_pieces_one_after_the_other(kinds: list[str], data: st.DataObject) -> None:
    """Over one connection, its heads shared with another that reads them whole."""
    heads = KnownHeads()
    reader, other = ResponseReader(heads=heads), ResponseReader(heads=heads)
    for kind in kinds:
        raw = ENDED[kind]
        whole = read_whole(raw)
        cuts = data.draw(st.lists(st.integers(1, len(raw) - 1), max_size=5, unique=True))
        response = feed(
            reader, (raw[start:end] for start, end in pairwise([0, *sorted(cuts), len(raw)]))
        )
        assert response is not None
        assert seen(response) == whole
        same = other.feed(raw)
        assert same is not None
        assert seen(same) == whole


def test_known_head_with_less_or_more_behind_it_is_read_anew() -> None:
    reader = ResponseReader()
    data = respond(b"0123456789")
    for _ in range(3):
        assert reader.feed(data) is not None
    assert reader.feed(data[:-1]) is None
    ended = reader.feed(data[-1:])
    assert ended is not None
    assert seen(ended) == read_whole(data)
    more = reader.feed(data + b"HTTP/1.1 200 Unasked\r\n\r\n")
    assert more is not None
    assert more.keep_alive is False
    assert more.body == b"0123456789"


def test_same_length_with_another_head_is_another_response() -> None:
    reader = ResponseReader()
    for data in (respond(b"ab", "200 OK"), respond(b"cd", "500 NO"), respond(b"ef", "200 OK")) * 2:
        response = reader.feed(data)
        assert response is not None
        assert seen(response) == read_whole(data)


def test_heads_that_all_differ_are_read_right_and_not_hoarded() -> None:
    heads = KnownHeads()
    reader = ResponseReader(heads=heads)
    for number in range(5000):
        data = respond(b"x" * number, headers=(f"X-Id: {number}",))
        response = reader.feed(data)
        assert response is not None
        assert (response.body_bytes, response.header(b"x-id")) == (number, str(number))
    assert len(heads.known) <= 256


def test_closed_reader_reads_nothing_not_even_what_it_knows() -> None:
    reader = ResponseReader()
    assert reader.feed(respond()) is not None
    reader.close()
    with pytest.raises(Malformed):
        reader.feed(respond())


def test_answers_to_head_end_with_their_header() -> None:
    reader = ResponseReader(head_only=True)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    for data in (head, head, CHUNKED[: CHUNKED.index(b"5;")], head):
        response = reader.feed(data)
        assert response is not None
        assert (response.status, response.body_bytes, response.keep_alive) == (200, 0, True)
    with_body = reader.feed(head + b"0123456789")
    assert with_body is not None
    assert with_body.keep_alive is False


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.lists(
        st.binary(max_size=40)
        | st.sampled_from([*ENDED.values(), *TO_CLOSE.values()])
        | st.sampled_from(
            [b"HTTP/1.1 200 OK\r\n", b"Content-Length: 3\r\n", b"\r\n", b"0\r\n\r\n"]
        ),
        max_size=8,
    )
)
def test_rubbish_is_malformed_or_no_response(pieces: list[bytes]) -> None:
    reader = ResponseReader()
    kind, status, _ = outcome(reader, [piece for piece in pieces if piece])
    assert kind in ("response", "nothing", "not an HTTP response") or kind.startswith("malformed")
    assert not any(character.isdigit() for character in kind)
    assert (100 <= status <= 999) == (kind == "response")
    reader.end()


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sampled_from(sorted(ENDED)), st.data())
def test_a_flipped_byte_never_breaks_the_reader(kind: str, data: st.DataObject) -> None:
    raw = bytearray(ENDED[kind])
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    once = outcome(ResponseReader(), [bytes(raw)])
    cut = data.draw(st.integers(1, len(raw) - 1))
    assert outcome(ResponseReader(), [bytes(raw[:cut]), bytes(raw[cut:])])[:2] == once[:2]


def outcome(reader: ResponseReader, pieces: list[bytes]) -> tuple[str, int, bytes]:
    """What came first: a response (with its status and body), an error, or nothing yet."""
    try:
        for piece in pieces:
            response = reader.feed(piece)
            if response is not None:
                return "response", response.status, response.body
    except Malformed as error:
        return str(error), 0, b""
    return "nothing", 0, b""


def test_large_body_is_counted_and_its_beginning_kept() -> None:
    reader = ResponseReader()
    size = MAX_BODY_BYTES + 100_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    for _ in range(2):
        whole = reader.feed(head + b"x" * size)
        assert whole is not None
        assert (whole.body_bytes, len(whole.body), whole.truncated) == (size, MAX_BODY_BYTES, True)


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_header_is_bounded_however_it_comes(beginning: bytes) -> None:
    reader = ResponseReader()
    piece = beginning if beginning.endswith(b"\r\n\r\n") else b"x" * 100
    reader.feed(beginning)
    found, *_ = outcome(reader, [piece] * (MAX_HEADER_BYTES // len(piece) + 2))
    assert found == "header larger than 256 KiB"
