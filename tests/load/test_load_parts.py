"""The pure parts: schedules, templates, checks of a body, redaction, frames."""

from __future__ import annotations

import json
import math
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner import __version__
from qa_runner.load.check import Checker
from qa_runner.load.error_text import error_message
from qa_runner.load.frames import FrameBuffer, pack_frame
from qa_runner.load.plan import (
    Burst,
    ConstantArrivalRate,
    LoadPlan,
    RequestTemplate,
    Sequential,
    Staircase,
    VirtualUsers,
)
from qa_runner.load.response import Response
from qa_runner.load.schedule import (
    OpenShape,
    closed_schedule,
    due_offsets,
    expected_requests,
    minimum_seconds,
    stage_tags,
)
from qa_runner.load.template import CompiledRequest, compile_request
from qa_runner.redaction import redact

seconds = st.floats(0, 100, allow_nan=False)
bursts = st.builds(
    Burst,
    requests=st.integers(0, 40),
    stagger_seconds=seconds,
    repeat=st.integers(1, 5),
    every_seconds=seconds,
)
rates = st.builds(ConstantArrivalRate, rate=st.floats(0.01, 100), duration_seconds=st.floats(0, 50))


@given(bursts | rates)
def test_due_offsets_have_the_exact_count_and_never_decrease(shape: OpenShape) -> None:
    offsets = list(due_offsets(shape))
    assert len(offsets) == expected_requests(shape)
    assert all(before <= after for before, after in pairwise(offsets))
    if offsets:
        assert offsets[0] == 0
        assert offsets[-1] == pytest.approx(minimum_seconds(shape))


def test_arrivals_do_not_drift() -> None:
    offsets = list(due_offsets(ConstantArrivalRate(rate=3, duration_seconds=1000)))
    assert offsets[2999] == 2999 / 3


@pytest.mark.parametrize(
    ("shape", "requests", "least"),
    [
        (Sequential(requests=10, pause_seconds=1), 10, 9),
        (VirtualUsers(users=50, requests=200), 200, 0),
        (VirtualUsers(users=4, requests=9, think_time_seconds=2), 9, 4),
        (VirtualUsers(users=100, duration_seconds=30), None, 30),
        (VirtualUsers(users=2, requests=100, duration_seconds=5, think_time_seconds=1), None, 5),
        (Staircase(stairs=(1, 2, 5), seconds_per_stair=5), None, 15),
        (Burst(requests=15, repeat=4, every_seconds=5), 60, 15),
        (ConstantArrivalRate(rate=2, duration_seconds=120), 240, 119.5),
    ],
)
def test_count_and_least_duration(
    shape: Sequential | VirtualUsers | Staircase | Burst | ConstantArrivalRate,
    requests: int | None,
    least: float,
) -> None:
    assert expected_requests(shape) == requests
    assert minimum_seconds(shape) == least


def test_stairs_are_stages_with_tags() -> None:
    shape = Staircase(stairs=(1, 20), seconds_per_stair=5)
    schedule = closed_schedule(shape)
    assert [(stage.offset, stage.users) for stage in schedule.stages] == [(0, 1), (5, 20)]
    assert schedule.seconds == 10
    assert stage_tags(shape) == ("users:1", "users:20")


# Templates


def compiled(connections: str = "keep-alive", tag: str = "r1", **fields: object) -> CompiledRequest:
    request = {"method": "POST", "url": "http://127.0.0.1:8000/x", **fields}
    plan = {"number": 1, "shape": Sequential(requests=1), "tag": tag, "connections": connections}
    return compile_request(LoadPlan(request=RequestTemplate(**request), **plan))  # type: ignore[arg-type]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 10**9))
def test_only_the_fields_of_a_body_vary(text: str, number: int) -> None:
    rendered = compiled(body=text).render(number)
    head, _, body = rendered.partition(b"\r\n\r\n")
    expected = text.replace("{tag}", "r1").replace("{i}", str(number)).encode()
    assert body == expected
    assert b"\r\nContent-Length: %d" % len(expected) in head


def test_whole_request() -> None:
    request = compiled(
        "new",
        url="http://example.test/a/{tag}/{i}?q={i}&r={x}#frag",
        headers=(("Content-Type", "application/json"), ("Connection", "x"), ("X-A", "1")),
        body='{"n":{i}}',
        key="k{i}@{tag}",
    )
    assert request.render(12) == (
        b"POST /a/r1/12?q=12&r=%7Bx%7D HTTP/1.1\r\nHost: example.test\r\n"
        b"User-Agent: qa-runner/"
        + __version__.encode()
        + b"\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        b'X-A: 1\r\nConnection: close\r\nContent-Length: 8\r\n\r\n{"n":12}'
    )
    assert request.key(12) == "k12@r1"


@pytest.mark.parametrize(
    ("url", "host", "line"),
    [
        ("http://example.test:80", b"example.test", b"POST / "),
        ("https://example.test:80", b"example.test:80", b"POST / "),
        ("https://example.test/?", b"example.test", b"POST / "),
        ("http://[::1]:8000/ä b%20c", b"[::1]:8000", b"POST /%C3%A4%20b%20c "),
        ("http://bücher.example/", b"xn--bcher-kva.example", b"POST / "),
    ],
)
def test_host_and_path(url: str, host: bytes, line: bytes) -> None:
    rendered = compiled(url=url).render(1)
    assert rendered.startswith(line)
    assert b"\r\nHost: " + host + b"\r\n" in rendered


def test_credentials_of_the_url_become_a_header() -> None:
    rendered = compiled(url="http://a%40b:c@example.test/").render(1)
    assert b"\r\nAuthorization: Basic YUBiOmM=\r\n" in rendered
    assert b"\r\nHost: example.test\r\n" in rendered


def test_get_has_no_body_and_empty_post_says_so() -> None:
    assert b"Content-Length" not in compiled(method="GET").render(1)
    assert compiled().render(1).endswith(b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": (("X-A", "1\r\nX-B: 2"),)},
        {"headers": (("X A", "1"),)},
        {"headers": (("X-A", "\u20ac"),)},
        {"method": "GET /"},
        {"tag": 'a"b'},
        {"tag": "a b"},
    ],
)
def test_what_would_break_the_request_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        compiled(**fields)  # type: ignore[arg-type]


# Checks


def response(body: bytes, status: int = 200) -> Response:
    made = Response()
    made.status = status
    made.add_body(body)
    return made


def test_paths_reach_into_objects() -> None:
    checker = Checker(
        RequestTemplate(
            method="GET",
            url="",
            required=("a.b", "zero"),
            extract=(("b", "a.b"), ("none", "a.c"), ("null", "n")),
        )
    )
    found = checker.judge(response(b'{"a":{"b":[1,"x"]},"zero":0,"n":null}'), "")
    assert found.outcome == "success"
    assert found.extracted == '{"b":[1,"x"],"null":null}'
    for body, problem in (
        (b'{"a":1,"zero":0}', "a.b is missing"),
        (b'{"a":{"b":[]},"zero":0}', "a.b is empty"),
        (b'{"a":{"b":""},"zero":0}', "a.b is empty"),
        (b'{"a":{"b":null},"zero":0}', "a.b is null"),
        (b'{"a":{"b":1}}', "zero is missing"),
        (b'{"a":{"b":1},"zero":0} x', "body is not JSON"),
        (b'{"a":"\xff"}', "body is not JSON"),
        (b"[" * 100_000, "body is not JSON"),
    ):
        found = checker.judge(response(body), "")
        assert (found.outcome, found.error) == ("invalid", problem)


def test_extraction_also_reads_error_bodies() -> None:
    template = RequestTemplate(method="GET", url="", extract=(("id", "id"),))
    found = Checker(template).judge(response(b'{"id":9,"error":"late"}', 503), "")
    assert (found.outcome, found.error) == ("server error", "HTTP 503: late")
    assert found.extracted == '{"id":9}'
    assert found.json_object == 1


def test_nobody_looked_is_not_a_number() -> None:
    found = Checker(RequestTemplate(method="GET", url="")).judge(response(b"{}"), "")
    assert math.isnan(found.json_object)


def test_status_among_the_successes_is_one_whatever_it_is() -> None:
    checker = Checker(RequestTemplate(method="GET", url="", success_statuses=(404, 302)))
    assert checker.judge(response(b"", 404), "").outcome == "success"
    assert checker.judge(response(b"", 302), "").outcome == "success"
    assert checker.judge(response(b"", 200), "").outcome == "other"


@pytest.mark.parametrize(
    ("document", "text", "message"),
    [
        ({"error": {"message": "no  such\nplan"}}, "", "no such plan"),
        ({"detail": "x" * 500}, "", ""),
        ({"errors": ["a"]}, "", ""),
        (None, "plain text", ""),
        (
            None,
            '<title>OperationalError\n at /x/</title><pre class="exception_value">locked</pre>',
            "OperationalError at /x/: locked",
        ),
    ],
)
def test_message_of_an_error_body(document: object, text: str, message: str) -> None:
    assert error_message(document, text) == message


# Redaction

SECRETS = {
    '{"password": "hunter2", "name": "Ada"}': "Ada",
    '{"client_secret":"pi_1_secret_abcdef"}': "client_secret",
    '{"a":{"apiKey" : "hunter2"}}': "apiKey",
    r'{"x": "{\"access_token\": \"hunter2\"}"}': "access_token",
    '{"token": 123456, "b": 1}': '"b": 1',
    '{"password": "cut off hunter2': "password",
    "{'secret_key': 'hunter2', 'plan': 3}": "plan",
    "Authorization: Bearer hunter2hunter2": "Bearer",
    "Authorization: Basic aHVudGVyMjpodW50ZXIy": "Basic",
    "Set-Cookie: sessionid=hunter2; Path=/\nnext": "next",
    "password=hunter2&plan=3": "plan=3",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.abc-_x is no good": "is no good",
    "key sk_live_hunter2hunter2 in use": "in use",
    "see https://admin:hunter2@db.example/x": "db.example/x",
    "mail to ada.hunter2+x@mail.example.org now": "now",
}


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_go_and_the_rest_stays(text: str) -> None:
    redacted = redact(text, "own@example.test")
    for secret in ("hunter2", "123456", "abcdef", "aHVudGVy", "eyJ"):
        assert secret not in redacted
    assert SECRETS[text] in redacted


def test_plain_text_and_the_own_key_are_left_alone() -> None:
    text = "own@example.test: database is locked (3 of 5), see http://example.test/a?b=1"
    assert redact(text, "own@example.test") == text


@pytest.mark.parametrize("text", ["a" * 60_000, '"' * 5_000, "a.b-" * 15_000, "key" * 20_000])
def test_redaction_is_quick_on_hostile_text(text: str) -> None:
    begin = time.process_time()
    redact(text)
    assert time.process_time() - begin < 5


# Frames


@given(
    st.lists(st.tuples(st.binary(max_size=50), st.binary(max_size=200)), max_size=8),
    st.integers(1, 40),
)
def test_frames_arrive_whole_however_they_are_cut(
    frames: list[tuple[bytes, bytes]], size: int
) -> None:
    stream = b"".join(pack_frame(*frame) for frame in frames)
    buffer = FrameBuffer()
    arrived = []
    for start in range(0, len(stream), size):
        arrived += list(buffer.feed(stream[start : start + size]))
    assert arrived == frames


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="not a frame"):
        list(FrameBuffer().feed(b"\xff" * 20))


def test_what_is_extracted_is_bounded() -> None:
    template = RequestTemplate(method="GET", url="", extract=(("id", "id"), ("deep", "deep")))
    body = json.dumps({"id": "x" * 10_000, "deep": ["y" * 10_000]}).encode()
    found = Checker(template).judge(response(body), "")
    assert json.loads(found.extracted) == {"id": "x" * 256}
