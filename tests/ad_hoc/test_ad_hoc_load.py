"""``qa-runner load`` against real servers: what is sent, what is said of it, how it exits."""

from __future__ import annotations

import csv
import io
import ssl
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from ad_hoc_bench import invoke, summary
from answering_site import Answer, AnsweringSite, Seen

Serve = Callable[..., AnsweringSite]
Script = Callable[[Seen, int], Answer]


def fails_each(nth: int, body: bytes = b'{"error": "database is locked"}') -> Script:
    def answer(_seen: Seen, number: int) -> Answer:
        status, said = (503, body) if number % nth == 0 else (200, b'{"ok": true}')
        return Answer(status, said, before=lambda: time.sleep(0.01))

    return answer


# ------------------------------------------------------------------ what is sent


def test_the_defaults_are_ten_users_and_two_hundred_requests(site: Serve) -> None:
    server = site()
    found = summary(f"{server.url}/health/")
    assert len(server.seen) == 200
    assert server.connections == 10 + 1  # the look whether anybody listens is the last
    assert {(seen.method, seen.path) for seen in server.seen} == {("GET", "/health/")}
    assert found["requests"] == found["successes"] == 200
    assert found["success_rate"] == 100
    assert found["verdict"] is None


def test_fields_are_rendered_and_other_braces_are_literal(site: Serve) -> None:
    server = site()
    body = '{"number": {i}, "name": "{tag}-{i}", "key": "{uuid}", "other": {"x": "{y}"}}'
    found = summary(f"{server.url}/a/{{i}}?t={{tag}}", "--body", body, "-n", "5", "-u", "2")
    tag = found["tag"]
    assert sorted(seen.path for seen in server.seen) == [f"/a/{i}?t={tag}" for i in range(1, 6)]
    assert {seen.method for seen in server.seen} == {"POST"}
    assert {seen.headers["Content-Type"] for seen in server.seen} == {"application/json"}
    keys = set()
    for seen in server.seen:
        number = seen.path.split("/")[2].partition("?")[0]
        start = f'{{"number": {number}, "name": "{tag}-{number}", "key": "'
        assert seen.body.startswith(start)
        assert seen.body.endswith('", "other": {"x": "{y}"}}')
        keys.add(uuid.UUID(seen.body[len(start) : len(start) + 36]))
    assert len(keys) == 5


def test_body_of_a_file_with_method_headers_and_token(site: Serve, tmp_path: Path) -> None:
    server = site()
    (tmp_path / "body.txt").write_text("plain {i} text")
    done = invoke(
        *(server.url, "--method", "put", "--body", f"@{tmp_path / 'body.txt'}", "-n", "1"),
        *("--header", "X-One: 1", "--header", "Content-Type: text/plain", "--auth-token", "abcdef"),
    )
    assert done.exit_code == 0, done.output
    (seen,) = server.seen
    assert (seen.method, seen.body) == ("PUT", "plain 1 text")
    assert seen.headers["Authorization"] == "Bearer abcdef"
    assert seen.headers["X-One"] == "1"
    assert seen.headers["Content-Type"] == "text/plain"


def test_text_is_not_sent_as_json_and_the_token_may_come_from_outside(site: Serve) -> None:
    server = site()
    environment = {"QA_RUNNER_AUTH_TOKEN": "from-outside"}
    summary(server.url, "-n", "1", "--body", "a=1&b={i}", **environment)
    assert "Content-Type" not in server.seen[0].headers
    assert server.seen[0].body == "a=1&b=1"
    assert server.seen[0].headers["Authorization"] == "Bearer from-outside"


def test_a_new_connection_for_each_request(site: Serve) -> None:
    server = site()
    found = summary(server.url, "-n", "12", "-u", "3", "--new-connections")
    assert server.connections == 12 + 1
    assert found["connections"] == "new"
    assert found["connect_time"]["n"] == 12


def test_a_rate_is_an_open_model_whose_users_are_a_limit(site: Serve) -> None:
    server = site()
    found = summary(server.url, "--rate", "200", "-n", "50")
    assert len(server.seen) == found["requests"] == 50
    assert "arrival rate" in found["shape"]
    slow = site(lambda _seen, _number: Answer(before=lambda: time.sleep(0.3)))
    found = summary(slow.url, "--rate", "100", "--duration", "500ms", "--users", "2")
    assert found["requests"] == 50
    assert found["dropped"] == 50 - len(slow.seen) > 0
    assert found["errors"]["dropped"] == found["dropped"]


def test_duration_think_time_and_ramp_up_shape_the_load(site: Serve) -> None:
    server = site()
    options = ("-u", "4", "--duration", "600ms", "--think-time", "10", "--ramp-up", "400ms")
    done = invoke(server.url, *options, "--format", "csv")
    begun = sorted(float(row["due"]) for row in csv.DictReader(io.StringIO(done.stdout)))
    # Each user comes once, and has not thought to its end when the time is over.
    assert len(begun) == len(server.seen) == 4
    assert begun[-1] - begun[0] >= 0.25


def test_certificates_are_checked_unless_told_otherwise(
    site: Serve, self_signed: ssl.SSLContext
) -> None:
    server = site(tls=self_signed)
    refused = invoke(server.url, "-n", "3")
    assert refused.exit_code == 4
    assert "not trusted" in refused.stderr
    assert "--insecure" in refused.stderr
    assert not server.seen
    found = summary(server.url, "-n", "3", "--insecure")
    assert found["successes"] == len(server.seen) == 3


# ------------------------------------------------------------------ what is said


def test_json_has_every_figure(site: Serve) -> None:
    server = site(fails_each(10))
    found = summary(server.url, "-n", "100", "-u", "5")
    assert (found["requests"], found["successes"], found["success_rate"]) == (100, 90, 90.0)
    assert found["status_codes"] == {"200": 90, "503": 10}
    assert found["errors"] == {"server error": 10}
    (cause,) = found["causes"]
    assert (cause["class"], cause["status"], cause["count"]) == ("server error", 503, 10)
    assert "database is locked" in cause["error"]
    times = found["response_time"]
    assert times["n"] == 100
    assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p95"] <= times["p99"]
    assert times["p99"] <= times["max"] < 30
    assert times["min"] <= times["mean"] <= times["max"]
    assert times["stddev"] >= 0
    low, high = times["intervals"]["p95"]
    assert low <= times["p95"] <= high
    assert found["throughput"] == pytest.approx(90 / found["duration_seconds"], rel=0.5)
    assert found["bytes"] > 100 * len(b'{"ok": true}')
    assert found["dropped"] == 0
    assert 0 <= found["lateness"]["p50"] <= found["lateness"]["p99"] <= found["lateness"]["max"]
    assert found["generator"]["cpu"] >= 0
    assert found["generator"]["lag"] >= 0
    assert isinstance(found["generator"]["saturated"], bool)
    assert found["connect_time"]["n"] == 5
    assert found["status"] == "finished"


def test_csv_has_a_row_for_each_request(site: Serve) -> None:
    server = site(fails_each(5))
    done = invoke(
        server.url, "-n", "20", "-u", "2", "--format", "csv", "--expect", "requests == 20"
    )
    assert done.exit_code == 0
    assert "PASS" in done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sorted(int(row["iteration"]) for row in rows) == list(range(1, 21))
    assert [row["outcome"] for row in rows].count("server error") == 4
    for row in rows:
        due, started, finished = (float(row[name]) for name in ("due", "started", "finished"))
        assert 0 <= due <= started <= finished
        assert float(row["response_time"]) == pytest.approx(finished - due)
        assert (row["connect_time"] == "") == (row["reused"] == "1")
    assert {row["status"] for row in rows} == {"200", "503"}


def test_text_says_what_was_sent_and_what_came_of_it(site: Serve) -> None:
    server = site(fails_each(4, body=b"no"))
    done = invoke(server.url, "-n", "40", "-u", "2", "--expect", "error_rate < 1 %")
    assert done.exit_code == 1
    for words in (
        f"GET {server.url}",
        "2 virtual users, 40 requests",
        "75 %",
        "30 of 40 requests",
        "p(99)",
        "█",
        "503",
        "server error: answered HTTP 503",
        "event loop lag",
        "✗ FAIL  error_rate < 1 %",
        "2 new connections",
    ):
        assert words in done.stdout
    assert "\x1b" not in done.output
    assert not done.stderr


def test_quiet_is_one_line_and_the_verdicts(site: Serve) -> None:
    done = invoke(site().url, "-n", "10", "--quiet", "--expect", "success_rate == 100 %")
    assert done.exit_code == 0
    first, second = done.stdout.splitlines()
    assert first.startswith("10 requests, success rate 100 %, ")
    assert second.startswith("✓ PASS  success_rate == 100 %")
    assert not done.stderr


def test_nothing_but_failures_is_said_loudly(site: Serve) -> None:
    server = site(lambda _seen, _number: Answer(404, b""))
    for form in ("text", "csv"):
        done = invoke(server.url, "-n", "5", "--format", form)
        assert done.exit_code == 0
        assert "NOT ONE of 5 requests succeeded" in done.output
    assert summary(server.url, "-n", "5", "--status", "404")["success_rate"] == 100


# ------------------------------------------------------------------ verdicts


def test_expectations_decide_the_exit_code(site: Serve) -> None:
    expected = ("throughput > 0.1 req/s", "success_rate < 50 %", "response_time p(95) < 1 us")
    options = [word for text in expected for word in ("--expect", text)]
    done = invoke(site().url, "-n", "20", "-u", "2", "--quiet", *options)
    assert done.exit_code == 1
    for verdict, text in zip(("PASS", "FAIL", "FAIL"), expected, strict=True):
        assert f"{verdict}  {text}" in done.stdout


def test_what_was_not_measured_is_no_pass(site: Serve) -> None:
    refused = site(lambda _seen, _number: Answer(before=lambda: time.sleep(5)))
    done = invoke(
        *(refused.url, "-n", "2", "-u", "1", "--timeout", "200ms", "--quiet"),
        *("--expect", "time_to_first_byte p(95) < 9 s", "--expect", "requests == 2"),
    )
    assert done.exit_code == 4, done.output
    assert "INCONCLUSIVE  time_to_first_byte" in done.stdout
    assert "PASS  requests == 2" in done.stdout
