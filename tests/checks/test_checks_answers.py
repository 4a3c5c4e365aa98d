"""What the one real request's answer tells, from a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from qa_runner.check_result import CheckResult, Level
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.load.limits import Limits
from qa_runner.monitors.database_result import EndpointFacts
from qa_runner.session import Session

Found = Callable[..., dict[str, CheckResult]]
HTML = b"<html><title>Not this</title></html>"
BAD_HOST = b"<!doctype html><html><head><title>Bad Request (400)</title></head></html>"
NO_TABLE = (
    b"<html><title>OperationalError at /buy/</title>"
    b'<pre class="exception_value">no such table: people_member</pre>'
)
NO_ANSWER = 0
VALID = {"success": True, "transaction_id": 1, "payment_intent_id": "a", "client_secret": "b"}


def failures(results: dict[str, CheckResult]) -> dict[str, CheckResult]:
    return {name: each for name, each in results.items() if each.level is Level.FAILURE}


def test_an_answer_as_it_should_be(found: Found) -> None:
    results = found()
    assert not failures(results)
    for name in ("reachable", "request", "path", "response", "rate-limit"):
        assert results[name].level is Level.OK, results[name]
    assert "/buy/" in results["request"].text
    assert results["path"].text == "/buy/"


@pytest.mark.parametrize(
    ("status", "body", "headers", "check", "said", "remedy"),
    [
        (404, HTML, {}, "path", "404: nothing is at this path", "--set case.path=/the/right/path/"),
        (404, {}, {}, "path", "nothing is at this path", '"/finances/api/purchase/initiate/" ='),
        (404, {"error": "no plan 1"}, {}, "path", "does not exist (HTTP 404: no plan 1)", "--set"),
        (405, b"", {"Allow": "GET"}, "path", "POST is not allowed at this path, only GET", "[targ"),
        (302, b"", {"Location": "/login/"}, "path", "redirect to /login/", "set the path"),
        (
            302,
            b"",
            {"Location": "https://u:p@sso.example/login/?next=/buy/&token=abcdef"},
            "path",
            "redirect to https://sso.example/login/, where",
            "set the path",
        ),
        (
            301,
            b"",
            {"Location": "https://shop.example/v2/buy/"},
            "path",
            "redirect to https://shop.example/v2, where",
            "give https://shop.example/v2 as the target's url, or switch SECURE_SSL_REDIRECT off",
        ),
        (200, b"hello", {}, "request", "was not answered by the API: unexpected status 200", "add"),
        (201, b"hello", {}, "response", "201 with something other than a JSON object", "API"),
        (201, {"success": True}, {}, "response", "transaction_id is missing", "is this the API"),
        (500, HTML, {}, "response", "500 with something other than a JSON object", "is this"),
        (500, NO_TABLE, {}, "response", "no such table: people_member", "manage.py migrate"),
        (
            502,
            HTML,
            {},
            "response",
            "502 with something other than",
            "application behind the proxy",
        ),
        (400, {"error": "no plan"}, {}, "response", "rejected: HTTP 400: no plan", "case.plan_id"),
        (401, {"detail": "log in"}, {}, "response", "rejected: HTTP 401: log in", "token"),
        (403, HTML, {}, "response", "rejected: HTTP 403: Not this", "CSRF protection"),
        (400, BAD_HOST, {}, "response", "rejected: HTTP 400", "is 127.0.0.1 in ALLOWED_HOSTS"),
        (429, {}, {"Retry_After": "3600"}, "rate-limit", "that of the view", "wait for 3600 s"),
        (429, {}, {"X_RateLimit_Limit": "9"}, "rate-limit", "x-ratelimit-limit: 9", "lift it"),
        (429, {}, {}, "rate-limit", "a payment provider behind the API", "test mode"),
        (429, HTML, {}, "rate-limit", "a proxy before the application", "behind it"),
        (
            429,
            {"detail": "Request was throttled."},
            {},
            "rate-limit",
            "that of the view",
            "lift it",
        ),
    ],
)
def test_what_would_spoil_the_run(
    found: Found,
    *,
    status: int,
    body: object,
    headers: dict[str, str],
    check: str,
    said: str,
    remedy: str,
) -> None:
    wrong = failures(found(status, body, **headers))
    assert [*wrong] == [check]
    assert said in wrong[check].text
    assert remedy in wrong[check].remedy


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (301, b"", {"Location": "/shop/buy/"}),
        (308, b"", {"Location": "http://127.0.0.1/shop/buy/"}),
        (
            500,
            (
                b"<title>RuntimeError at /shop/buy</title><pre class='x'></pre>"
                b'<pre class="exception_value">You called this URL via POST, but the URL '
                b"doesn&#x27;t end in a slash and you have APPEND_SLASH set. "
                b"Django can&#x27;t redirect to the slash URL while maintaining POST data. "
                b"Change your form to point to it.</pre>"
            ),
            {},
        ),
    ],
)
def test_a_missing_slash(found: Found, status: int, body: bytes, headers: dict[str, str]) -> None:
    wrong = failures(found(status, body, "/shop/buy", **headers))
    assert [*wrong] == ["path"]
    assert "needs a slash at its end" in wrong["path"].text
    assert "case.path=/shop/buy/" in wrong["path"].remedy


def test_a_redirect_elsewhere_is_no_missing_slash(found: Found) -> None:
    wrong = failures(found(301, b"", "/shop/buy", Location="/login/"))
    assert "redirect to /login/" in wrong["path"].text


def test_a_server_error_in_json_is_what_the_run_is_for(found: Found) -> None:
    results = found(500, {"error": "database is locked"})
    assert not failures(results)
    assert results["request"].level is Level.WARNING
    assert "database is locked" in results["request"].text


def test_a_stated_limit_is_told_before_it_is_reached(found: Found) -> None:
    limit = found(X_RateLimit_Limit="1000", X_RateLimit_Remaining="999")["rate-limit"]
    assert limit.level is Level.WARNING
    assert "x-ratelimit-remaining: 999" in limit.text


def test_a_limit_that_the_run_will_reach_fails_the_check_alone(found: Found) -> None:
    limit = found(X_RateLimit_Remaining="600")["rate-limit"]
    assert limit.level is Level.FAILURE
    assert "x-ratelimit-remaining: 600; the run sends at least " in limit.text
    assert "lift it" in limit.remedy
    # More than is tried before a load: the run begins, and what strikes then ends it.
    bought = (201, {}, json.dumps(VALID).encode())
    before = found(later=[bought], X_RateLimit_Remaining="600")["rate-limit"]
    assert before.level is Level.WARNING


@pytest.mark.parametrize(
    ("rates", "level"),
    [
        (("10/h", "5/h"), Level.FAILURE),
        (("60/m",), Level.FAILURE),
        (("10/hour", "9000/day"), Level.FAILURE),
        (("5000/day",), Level.WARNING),
        (("20/s",), Level.WARNING),
        (("20 / second", "600/h"), Level.FAILURE),
        ((), Level.OK),
    ],
)
def test_the_rates_of_a_view(
    found: Found, monkeypatch: pytest.MonkeyPatch, rates: tuple[str, ...], level: Level
) -> None:
    facts = EndpointFacts(view="api.views.buy", limits=rates, similar=())
    monkeypatch.setattr(CheckedTarget, "endpoint", lambda _checked: facts)
    assert found()["rate-limit"].level is level


def test_a_low_limit_is_tried_before_the_load(found: Found) -> None:
    bought = (201, {}, json.dumps(VALID).encode())
    refused = (429, {"Retry-After": "3000"}, b"{}")
    stated = {"X_RateLimit_Remaining": "3"}
    limit = found(later=[bought] * 3 + [refused], **stated)["rate-limit"]
    assert limit.level is Level.FAILURE
    assert "answers request 5 of this run, and asks to stay away for 3000 s" in limit.text
    assert "x-ratelimit-remaining: 3" in limit.text
    # Nobody is asked to stay away here, and nothing ends the requests early.
    limit = found(later=[bought] * 2 + [(429, {}, b"{}")], **stated)["rate-limit"]
    assert limit.level is Level.FAILURE
    assert "answers request 4 of this run: " in limit.text
    kept = found(later=[bought], **stated)["rate-limit"]
    assert kept.level is Level.NOTE
    assert "none of 5 requests in a row was refused" in kept.text


def test_a_limit_is_not_tried_where_the_environment_leaves_no_room(
    found: Found, session: Session
) -> None:
    bought = (201, {}, json.dumps(VALID).encode())
    stated = {"X_RateLimit_Remaining": "3"}
    for limits, level in (
        (Limits(most_rate=0.5), Level.WARNING),
        (Limits(most_requests=700), Level.WARNING),
        (Limits(most_rate=50.0, most_requests=5000), Level.NOTE),
    ):
        session.limits = limits
        assert found(later=[bought], **stated)["rate-limit"].level is level, limits
    session.limits = None


def test_what_the_server_does_not_tell_of_itself(found: Found) -> None:
    silent = found()["server-timing"]
    assert silent.level is Level.NOTE
    assert "5.1-database-time-p95" in silent.text
    told = found(Server_Timing='app;dur=9, db;dur=5;desc="3 queries"')["server-timing"]
    assert told.level is Level.OK, told
    assert "database_time" in told.text


def test_a_clock_that_is_off(found: Found) -> None:
    def at(seconds: float) -> Callable[[], str]:
        ahead = timedelta(seconds=seconds)
        return lambda: format_datetime(datetime.now(UTC) + ahead, usegmt=True)

    assert "server's with them" in found(Date=at(0))["clocks"].text
    off = found(Date=at(3600))["clocks"]
    assert off.level is Level.NOTE
    assert "+3600 s off" in off.text or "+35" in off.text
    assert "sends no Date" in found(Date="yesterday")["clocks"].text


def test_what_is_not_known_is_told_with_the_criteria_it_costs(found: Found) -> None:
    results = found()
    # The server runs in the tests' own process, which is not looked at.
    assert "4.1-server-memory-growth" in results["server-process"].criteria
    assert "5.1-query-time-median" in results["database-probe"].criteria
    assert "8.2-unaccounted-transactions" in results["database-probe"].criteria
    assert "3.1-lock-errors" in results["server-log"].criteria
    for name in ("server-process", "database-probe", "server-log"):
        assert results[name].level is Level.WARNING
    assert results["payment-keys"].level is Level.NOTE
    assert "same-database" not in results


def test_a_server_that_hangs(found: Found) -> None:
    wrong = failures(found(NO_ANSWER, path="/hang/", seconds=0.3))
    assert [*wrong] == ["request"]
    assert "got no answer (no response within 0.3 s)" in wrong["request"].text
    assert "hung" in wrong["request"].remedy


def test_a_certificate_that_nobody_trusts(found: Found, tls_url: str) -> None:
    wrong = failures(found(url=tls_url))
    assert [*wrong] == ["request"]
    assert "certificate not trusted" in wrong["request"].text
    assert "verify_tls = false" in wrong["request"].remedy
