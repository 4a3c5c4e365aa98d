"""The middleware in real servers: what it tells, to whom, and that it changes nothing else."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from projects.storefront import PATH, ShopServer

from qa_runner.load.server_timing import ServerTiming, parse_server_timing

SITE = Path(__file__).with_name("timing_site.py")
ASK = {"X-QA-Runner": "r1-s1-p3.1"}
HEADER = re.compile(r'app;dur=\d+\.\d{3}, db;dur=\d+\.\d{3};desc="\d+ quer(y|ies)"')

Get = Callable[..., http.client.HTTPResponse]


@contextmanager
def serving(kind: str, switch: str) -> Iterator[Get]:
    """The site, ended with the block; a function that gets a path of it."""
    with subprocess.Popen(
        [sys.executable, str(SITE), kind, switch],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())

            def get(path: str, headers: dict[str, str] = ASK) -> http.client.HTTPResponse:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                with closing(connection):
                    connection.request("GET", path, headers=headers)
                    response = connection.getresponse()
                    response.told = response.read()  # type: ignore[attr-defined]
                    return response

            yield get
        finally:
            process.stdin.close()
            process.wait(20)


@pytest.fixture(scope="module", params=["wsgi", "asgi"])
def get(request: pytest.FixtureRequest) -> Iterator[Get]:
    with serving(request.param, "on") as get:
        yield get


def timing(response: http.client.HTTPResponse) -> ServerTiming:
    return parse_server_timing(response.headers["Server-Timing"])


def test_the_header_is_in_the_grammar_and_read_back(get: Get) -> None:
    response = get("/queries/?count=3")
    assert HEADER.fullmatch(response.headers["Server-Timing"])
    found = timing(response)
    assert found.queries == 3
    assert 0 < found.database_seconds < found.application_seconds
    # The pauses between the queries are no time in the database.
    assert found.application_seconds > 0.015 > found.database_seconds


def test_only_requests_of_a_run_are_told(get: Get) -> None:
    assert "Server-Timing" not in get("/queries/", headers={}).headers
    assert "Server-Timing" in get("/queries/").headers
    assert "Server-Timing" not in get("/queries/", headers={}).headers


def test_without_the_setting_it_is_not_there() -> None:
    for kind in ("wsgi", "asgi"):
        with serving(kind, "off") as get:
            response = get("/queries/")
            assert response.status == 200
            assert "Server-Timing" not in response.headers


def test_one_query_and_none(get: Get) -> None:
    assert 'desc="1 query"' in get("/queries/?count=1").headers["Server-Timing"]
    response = get("/nothing/")
    assert 'db;dur=0.000;desc="0 queries"' in response.headers["Server-Timing"]
    assert timing(response).queries == 0


def test_all_databases_and_statements_with_many_rows_count(get: Get) -> None:
    assert timing(get("/several/")).queries == 3


def test_time_in_the_database_is_that_and_is_part_of_the_application(get: Get) -> None:
    found = timing(get("/slow/"))
    assert found.queries == 1
    assert found.database_seconds >= 0.05
    assert found.application_seconds >= found.database_seconds + 0.05


def test_an_error_of_the_view_is_answered_as_ever_and_its_queries_count(get: Get) -> None:
    response = get("/broken/")
    assert response.status == 500
    assert timing(response).queries == 2
    assert timing(get("/queries/?count=1")).queries == 1


def test_streams_arrive_whole_and_count_up_to_their_beginning(get: Get) -> None:
    response = get("/stream/")
    assert response.told == b"0\n1\n2\n"  # type: ignore[attr-defined]
    assert timing(response).queries == 1


def test_what_others_have_sent_stays(get: Get) -> None:
    header = get("/queries/?earlier=1").headers["Server-Timing"]
    assert header.startswith("cache;dur=2, app;dur=")
    assert parse_server_timing(header).queries == 3


def test_wrappers_of_the_project_come_and_go_as_ever(get: Get) -> None:
    response = get("/own_wrapper/")
    found = json.loads(response.told)  # type: ignore[attr-defined]
    assert found == {"seen": ["SELECT 1"], "left": False}
    assert timing(response).queries == 1


def test_queries_of_async_views_count_in_whatever_thread(get: Get) -> None:
    assert timing(get("/asynchronous/")).queries == 5


@pytest.mark.parametrize("view", ["queries", "asynchronous_count"])
def test_requests_at_the_same_time_keep_their_own_count(get: Get, view: str) -> None:
    counts = [number % 7 for number in range(28)]
    with ThreadPoolExecutor(14) as pool:
        responses = list(pool.map(lambda count: get(f"/{view}/?count={count}"), counts))
    assert [timing(response).queries for response in responses] == counts


def test_it_needs_nothing_but_django() -> None:
    code = (
        "import sys; from django.conf import settings; settings.configure(); "
        "import qa_runner.contrib.django; "
        "print(sorted(name for name in sys.modules if name.startswith('qa_runner'))); "
        "print([name for name in ('numpy', 'msgspec', 'click', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    own, foreign = done.stdout.splitlines()
    assert own == str(
        [
            "qa_runner",
            "qa_runner.contrib",
            "qa_runner.contrib.django",
            "qa_runner.contrib.django.server_timing",
        ]
    )
    assert foreign == "[]"


def test_in_another_project_with_an_older_django_under_gunicorn(timed_shop: ShopServer) -> None:
    assert timed_shop.shop.manage("version").splitlines()[-1].startswith("4.2")
    for number, headers in ((1, ASK), (2, {})):
        connection = http.client.HTTPConnection("127.0.0.1", timed_shop.port, timeout=30)
        with closing(connection):
            email = f"timed{number}@example.com"
            body = {"plan_id": 1, "student_info": {"name": "Timed", "email": email}}
            connection.request("POST", PATH, json.dumps(body), headers)
            response = connection.getresponse()
            assert response.status == 201, response.read()
            if not headers:
                assert "Server-Timing" not in response.headers
                continue
            found = timing(response)
            assert found.queries >= 3
            assert 0 < found.database_seconds < found.application_seconds
