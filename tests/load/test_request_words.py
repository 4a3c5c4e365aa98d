"""All of httpx's words, and what is rendered of them, byte by byte."""

from __future__ import annotations

import base64
import io
import re
import uuid
from collections.abc import Generator
from email import message_from_bytes
from email.message import Message

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.load.messages import Submit, decode_command, encode
from qa_runner.load.plan import (
    LoadPlan,
    MixedBody,
    Reference,
    RequestTemplate,
    Sequential,
    body_text,
)
from qa_runner.load.request import request
from qa_runner.load.template import CompiledRequest, compile_request

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BINARY = bytes(range(256)) + b"{i}{tag}{uuid}\r\n--"


def compiled(template: RequestTemplate, tag: str = "t7") -> CompiledRequest:
    if "://" not in template.url:
        template = RequestTemplate(**{**fields_of(template), "url": "http://h" + template.url})
    plan = LoadPlan(
        number=1,
        shape=Sequential(requests=1),
        request=template,
        tag=tag,
        connections="keep-alive",
    )
    # As it arrives in the generator.
    submitted = decode_command(encode(Submit(plan=plan)))
    assert isinstance(submitted, Submit)
    assert submitted.plan == plan
    return compile_request(submitted.plan)


def fields_of(template: RequestTemplate) -> dict[str, object]:
    return {name: getattr(template, name) for name in template.__struct_fields__}


def taken_apart(rendered: bytes) -> tuple[str, Message, bytes]:
    """Request line, header and body, of which the length is checked."""
    head, _, body = rendered.partition(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    header = message_from_bytes(rest + b"\r\n\r\n")
    assert int(header["Content-Length"] or 0) == len(body)
    return line.decode(), header, body


@given(
    st.lists(
        st.sampled_from(["{i}", "{tag}", "{uuid}", "{", "}", "{{", "é", "i", "tag", "{x}", " "]),
        max_size=12,
    ).map("".join),
    st.sampled_from(["", "i", "uuid", "r1-2"]),
    st.integers(1, 10**8),
)
def test_fields_are_replaced_in_one_pass_and_the_length_is_right(
    text: str, tag: str, number: int
) -> None:
    template = RequestTemplate(method="POST", url="http://h/", body=text)
    body = taken_apart(compiled(template, tag).render(number))[2]
    found = UUID.search(body)
    values = {"i": str(number), "tag": tag, "uuid": found[0].decode() if found else "?"}
    expected = re.sub(r"\{(i|tag|uuid)\}", lambda match: values[match[1]], text)
    assert body == expected.encode()


def test_a_uuid_is_one_per_request_and_never_the_same() -> None:
    ready = compiled(
        request(
            "PUT", "/x/{uuid}", headers={"Idempotency-Key": "{uuid}-{i}"}, json={"id": "{uuid}"}
        )
    )
    seen = set()
    for number in range(1, 1001):
        line, header, body = taken_apart(ready.render(number))
        value = line.split()[1].removeprefix("/x/")
        assert str(uuid.UUID(value)) == value
        assert uuid.UUID(value).version == 4
        assert header["Idempotency-Key"] == f"{value}-{number}"
        assert body == f'{{"id":"{value}"}}'.encode()
        seen.add(value)
    assert len(seen) == 1000


def test_a_key_cannot_be_random() -> None:
    with pytest.raises(ValueError, match=r"^the key 'a\{uuid\}' can't have \{uuid\}"):
        compiled(request("GET", "/", key="a{uuid}"))


def test_fields_stand_in_params_headers_and_cookies() -> None:
    ready = compiled(
        request(
            "GET",
            "/{tag}/{no}",
            params={"n": "{i}", "l": ["{tag}", "ä{i}"], "{i}": "a&b"},
            headers={"X-Trace": "{tag}/{i}/{other}"},
            cookies={"session": "s{i}"},
        )
    )
    line, header, body = taken_apart(ready.render(12))
    assert line == "GET /t7/%7Bno%7D?n=12&l=t7&l=%C3%A412&12=a%26b HTTP/1.1"
    assert header["X-Trace"] == "t7/12/{other}"
    assert header["Cookie"] == "session=s12"
    assert "Accept-Encoding" not in header
    assert body == b""


def test_what_only_looks_like_an_encoded_field_is_left_alone() -> None:
    assert taken_apart(compiled(request("GET", "/%7Bi%7D?%7Btag%7D={i}")).render(3))[0] == (
        "GET /%7Bi%7D?%7Btag%7D=3 HTTP/1.1"
    )


def test_names_of_headers_keep_their_case_and_repeat() -> None:
    template = request("GET", "/", headers=[("x-ID", "1"), ("x-ID", "2")])
    assert [pair for pair in template.headers if pair[0] == "x-ID"] == [
        ("x-ID", "1"),
        ("x-ID", "2"),
    ]


def test_bytes_are_sent_as_they_are() -> None:
    template = request("POST", "/", content=BINARY)
    assert taken_apart(compiled(template).render(5))[2] == BINARY
    assert body_text(template.body) == f"<{len(BINARY)} bytes>"


def test_multipart_renders_text_and_leaves_bytes_alone() -> None:
    template = request(
        "POST",
        "/",
        data={"who": "Ada {i}", "raw": BINARY},
        files=[
            ("one", ("a{i}.bin", BINARY, "application/x-a")),
            ("two", io.BytesIO(BINARY)),
            ("text", ("t.txt", "number {i} of {tag}")),
        ],
    )
    for number in (9, 1234):
        line, header, body = taken_apart(compiled(template).render(number))
        assert line == "POST / HTTP/1.1"
        boundary = header.get_boundary()
        assert boundary is not None
        pieces = body.split(f"--{boundary}".encode())
        parts = [piece.strip(b"\r\n").partition(b"\r\n\r\n") for piece in pieces[1:-1]]
        sent = [
            (head, piece[2:-2].partition(b"\r\n\r\n")[2])
            for (head, *_), piece in zip(parts, pieces[1:-1], strict=True)
        ]
        assert [content for _, content in sent] == [
            f"Ada {number}".encode(),
            BINARY,
            BINARY,
            BINARY,
            f"number {number} of t7".encode(),
        ]
        assert f'filename="a{number}.bin"'.encode() in sent[2][0]
        assert b"Content-Type: application/x-a" in sent[2][0]
        assert b'name="two"; filename="upload"' in sent[3][0]
        assert b"Content-Type: text/plain" in sent[4][0]


def test_multipart_is_what_httpx_would_send() -> None:
    files = {"f": ("x.png", BINARY)}
    content_type = {"Content-Type": "multipart/form-data; boundary=abc"}
    ours = compiled(request("POST", "/", headers=content_type, data={"a": "1"}, files=files))
    theirs = httpx.Request("POST", "http://h/", headers=content_type, data={"a": "1"}, files=files)
    assert taken_apart(ours.render(1))[2] == theirs.read()


class Bearer(httpx.Auth):
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = "Bearer hunter2"
        yield request


class SignsTheBody(Bearer):
    requires_request_body = True


class AsksForToken(httpx.Auth):
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        answer = yield httpx.Request("POST", "http://token.invalid/")
        request.headers["Authorization"] = answer.text
        yield request


def signed(request: httpx.Request) -> httpx.Request:
    request.headers["X-Signed"] = "yes"
    return request


def test_auth_that_sets_headers() -> None:
    basic = base64.b64encode(b"ada:{i}").decode()
    assert dict(request("GET", "/", auth=("ada", "{i}")).headers)["Authorization"] == (
        f"Basic {basic}"
    )
    assert dict(request("GET", "/", auth=Bearer()).headers)["Authorization"] == "Bearer hunter2"
    assert dict(request("GET", "/", auth=signed).headers)["X-Signed"] == "yes"


REFUSED = {
    "digest": ({"auth": httpx.DigestAuth("a", "b")}, "DigestAuth can't be .* needs answers"),
    "token": ({"auth": AsksForToken()}, "AsksForToken can't be used for load: it needs answers"),
    "signature": ({"auth": SignsTheBody()}, "SignsTheBody can't .* the body of each request"),
    "no auth": ({"auth": 5}, "auth must be"),
    "lambda": ({"check": lambda _: None}, "<lambda> can't be used here"),
    "method": ({"check": Bearer.auth_flow}, r"Bearer.auth_flow can't be used here"),
    "type": ({"content": dict}, "dict can't be used here"),
    "stream": ({"content": io.BytesIO(b"x")}, "content must be str, bytes or a function"),
    "raw data": ({"data": b"x"}, "data must be a mapping"),
    "text file": ({"files": {"f": io.StringIO("x")}}, "opened in binary mode"),
    "two bodies": ({"content": signed, "json": {}}, "not both"),
    "nan": ({"json": float("nan")}, "JSON"),
    "header": ({"headers": {"X-A": "€"}}, "ascii"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_sent_is_one_line(case: str) -> None:
    options, said = REFUSED[case]
    with pytest.raises(ValueError, match=f"POST /x: [^\n]*{said}[^\n]*$"):
        request("POST", "/x", **options)  # type: ignore[arg-type]


def test_closures_are_refused() -> None:
    def check(_: object) -> None:
        return None

    with pytest.raises(ValueError, match=r"<locals>\.check can't be used here"):
        request("GET", "/", check=check)


def test_bodies_in_words() -> None:
    mixed = MixedBody(texts=("a{i}", "c"), binaries=(b"123",))
    assert body_text(mixed) == "a{i}<3 bytes>c"
    assert body_text(Reference(folder="/f", module="case.bodies", name="make")) == (
        "<made by bodies.make>"
    )
