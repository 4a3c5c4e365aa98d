"""Headers that a target asks of every request: who gets them, and who sees them."""

from __future__ import annotations

from qa_runner.load.plan import RequestTemplate
from qa_runner.load.target_headers import addressed, masked

ROOT = "http://127.0.0.1:8000/shop"
SECRET = (("X-Gateway", "key-1"), ("Authorization", "Bearer token-1"))


def request(url: str, *headers: tuple[str, str]) -> RequestTemplate:
    return RequestTemplate(method="GET", url=url, headers=headers)


def test_a_relative_url_is_the_targets() -> None:
    sent = addressed(request("/orders/", ("Accept", "text/html")), ROOT, SECRET)
    assert sent.url == "http://127.0.0.1:8000/shop/orders/"
    assert sent.headers == (("Accept", "text/html"), *SECRET)


def test_other_origins_get_none_of_them() -> None:
    for url in (
        "http://127.0.0.1:8001/shop/orders/",
        "https://127.0.0.1:8000/shop/orders/",
        "http://localhost:8000/shop/orders/",
        "http://127.0.0.1:x/",
    ):
        assert addressed(request(url), ROOT, SECRET).headers == ()
    assert addressed(request("http://127.0.0.1:8000/other/"), ROOT, SECRET).headers == SECRET
    assert addressed(request("http://example.org/"), "http://example.org:80", SECRET).headers


def test_a_header_of_the_request_itself_stays() -> None:
    sent = addressed(request("/", ("authorization", "Bearer wrong")), ROOT, SECRET)
    assert sent.headers == (("authorization", "Bearer wrong"), ("X-Gateway", "key-1"))


def test_their_values_are_hidden_and_others_shown() -> None:
    sent = addressed(request("/", ("Accept", "key-1")), ROOT, SECRET)
    assert masked(sent.headers, SECRET) == [
        ("Accept", "key-1"),
        ("X-Gateway", "[redacted]"),
        ("Authorization", "[redacted]"),
    ]
