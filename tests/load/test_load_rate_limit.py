"""What a 429 says of the limit is kept, since it tells whose limit it is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from load_bench import Bench, RawServer, respond

Answering = Callable[..., RawServer]


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        (("Retry-After: 9",), {"retry-after": "9"}),
        ((), {"retry-after": ""}),
        (
            ("RateLimit: limit=10, remaining=0", "X-RateLimit-Limit: 10", "X-Other: 1"),
            {
                "retry-after": "",
                "ratelimit": "limit=10, remaining=0",
                "x-ratelimit-limit": "10",
            },
        ),
        (("Retry-After: token=abcdefgh12345678 " + "9" * 300,), None),
    ],
    ids=["retry after", "nothing", "limits", "hostile"],
)
def test_headers_about_the_limit_are_kept(
    bench: Bench, answering: Answering, headers: tuple[str, ...], kept: dict[str, str] | None
) -> None:
    server = answering(respond(b'{"detail":"Slow down."}', "429 Too Many Requests", headers))
    found = json.loads(bench.row(server.url)["extracted"])
    if kept is not None:
        assert found == kept
    assert "abcdefgh" not in json.dumps(found)
    assert all(len(value) <= 80 for value in found.values())


def test_other_answers_keep_none(bench: Bench, answering: Answering) -> None:
    server = answering(respond(b"{}", "503 Service Unavailable", ("Retry-After: 9",)))
    assert bench.row(server.url)["extracted"] == ""
