"""Bodies made to hurt whoever reads them: a row each, and the generator lives on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from load_bench import Bench, Peer, RawServer, respond, rows

from qa_runner.load.error_text import error_message
from qa_runner.load.plan import Sequential

Serve = Callable[..., RawServer]

# Around the depth at which Python gives up, where one reader still copes and the next does not.
DEPTHS = (3, 100, *range(930, 1010), 5_000, 100_000)


def nested(depth: int, name: bytes = b"error") -> bytes:
    return b'{"%b":' % name * depth + b"1" + b"}" * depth


@pytest.mark.parametrize("status", ["500 Oops", "200 OK"])
@pytest.mark.parametrize("name", [b"error", b"a", b"id"])
def test_deeply_nested_json_ends_no_run(
    bench: Bench, serve: Serve, status: str, name: bytes
) -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            number = int(request.split(b" ", 2)[1][1:])
            peer.send(respond(nested(DEPTHS[number - 1], name), status))

    table = bench.run(
        serve(script).url + "/{i}",
        Sequential(requests=len(DEPTHS)),
        connections="keep-alive",
        request={"required": (name.decode(),), "extract": (("id", "id"),)},
    )
    assert len(table) == len(DEPTHS)
    for row in rows(table):
        if status == "500 Oops":
            assert (row["outcome"], row["error"]) == ("server error", "HTTP 500")
        else:
            assert row["outcome"] in ("success", "invalid")
        assert len(row["extracted"]) < 1_000


def test_message_is_looked_for_a_few_levels_deep() -> None:
    assert error_message({"error": {"error": {"message": "deep"}}}, "") == "deep"
    document: dict[str, object] = {"message": "far too deep"}
    for _ in range(100_000):
        document = {"error": document}
    assert error_message(document, "") == ""
    while document:  # taken apart level by level: Python's own destructor would recurse
        inner = document.pop("error", {})
        document = inner if isinstance(inner, dict) and "error" in inner else {}


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"\\ud800 \\u0000 \\u202e hidden"}',
        b'{"error":"' + b"x" * 900_000 + b'"}',
        b"<title>" * 50_000,
        b'<pre class="exception_value">' * 20_000,
        bytes(range(256)) * 100,
        b"\xef\xbb\xbf{}",
    ],
)
def test_error_body_of_any_kind_is_one_row(
    bench: Bench, answering: Callable[..., RawServer], body: bytes
) -> None:
    row = bench.row(answering(respond(body, "503 Busy")).url)
    assert row["outcome"] == "server error"
    assert row["error"].startswith("HTTP 503")
    assert row["error"].isprintable()
    assert row["excerpt"].isprintable()
    assert len(row["error"]) <= 200
    assert len(row["excerpt"]) <= 300
