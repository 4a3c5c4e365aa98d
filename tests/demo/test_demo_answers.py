"""What the API answers, over real connections to a real server process."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

PURCHASE = "/finances/api/purchase/initiate/"
STUDENT = {"name": "Test Student", "email": "a@example.com"}


def post(api: Any, body: bytes) -> tuple[int, Any]:
    status, answer, _ = api.request("POST", PURCHASE, body)
    return status, answer


def test_purchase_is_acknowledged_and_stored(api: Any) -> None:
    status, answer = api.buy("first@example.com")
    assert status == 201
    assert answer["success"] is True
    assert re.fullmatch(r"pi_[0-9a-f]+", answer["payment_intent_id"])
    assert answer["client_secret"].startswith(answer["payment_intent_id"] + "_secret_")
    assert answer["plan"] == {
        "id": 1,
        "name": "10 hours",
        "description": "Ten hours of lessons, one to one",
        "hours": 10,
        "price": "250.00",
        "currency": "EUR",
    }
    rows = api.rows(
        "SELECT t.id, t.stripe_payment_intent_id, t.status, u.email, u.name, b.id IS NOT NULL "
        "FROM finances_purchasetransaction t JOIN accounts_customuser u ON u.id = t.student_id "
        "JOIN finances_studentaccountbalance b ON b.student_id = u.id "
        "WHERE u.email = 'first@example.com'"
    )
    assert rows == [
        (
            answer["transaction_id"],
            answer["payment_intent_id"],
            "pending",
            "first@example.com",
            "Test Student",
            1,
        )
    ]


def test_the_same_email_is_the_same_user(api: Any) -> None:
    first, second = (api.buy("again@example.com") for _ in range(2))
    assert first[1]["transaction_id"] != second[1]["transaction_id"]
    assert api.count("accounts_customuser", "email = 'again@example.com'") == 1


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        ({}, {"plan_id", "student_info"}),
        ({"plan_id": None, "student_info": {"name": "A"}}, {"plan_id", "student_info.email"}),
        ({"plan_id": 99, "student_info": STUDENT}, {"plan_id"}),
        ({"plan_id": 10**30, "student_info": STUDENT}, {"plan_id"}),
        ({"plan_id": True, "student_info": STUDENT}, {"plan_id"}),
        ({"plan_id": "1", "student_info": STUDENT}, {"plan_id"}),
        ({"plan_id": 1, "student_info": ["x"]}, {"student_info"}),
        ({"plan_id": 1, "student_info": {**STUDENT, "email": "a@"}}, {"student_info.email"}),
        ({"plan_id": 1, "student_info": {**STUDENT, "email": 5}}, {"student_info.email"}),
        ({"plan_id": 1, "student_info": {**STUDENT, "name": " "}}, {"student_info.name"}),
        ({"plan_id": 1, "student_info": {**STUDENT, "name": "x" * 151}}, {"student_info.name"}),
        ({"plan_id": 1, "student_info": {**STUDENT, "name": "a\0b"}}, {"student_info.name"}),
        ({"plan_id": 1, "student_info": {**STUDENT, "name": "\ud800"}}, {"student_info.name"}),
    ],
)  # fmt: skip
def test_invalid_fields_are_named(api: Any, order: Any, fields: set[str]) -> None:
    status, answer = post(api, json.dumps(order).encode())
    assert status == 400
    assert answer["success"] is False
    assert set(answer["errors"]) == fields
    assert all(isinstance(text, str) for texts in answer["errors"].values() for text in texts)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b"x" * 3_000_000]
)
def test_a_body_that_is_no_json_object_is_a_client_error(api: Any, body: bytes) -> None:
    status, answer = post(api, body)
    assert status == 400
    assert answer["success"] is False


def test_unknown_paths_and_wrong_methods_answer_in_json(api: Any) -> None:
    for path in ("/", "/nope", PURCHASE.rstrip("/")):
        status, answer, _ = api.request("POST", path, b"{}")
        assert (status, answer["success"]) == (404, False)
    for method in ("GET", "PUT", "DELETE"):
        status, answer, headers = api.request(method, PURCHASE)
        assert (status, answer["success"], headers["Allow"]) == (405, False, "POST")
    assert api.request("POST", "/health/")[0] == 405


def test_malformed_http_answers_in_json(api: Any) -> None:
    with closing(socket.create_connection(("127.0.0.1", api.target.port), timeout=20)) as raw:
        raw.sendall(b"GET / x HTTP/1.1\r\n\r\n")
        response = http.client.HTTPResponse(raw)
        response.begin()
        assert response.status == 400
        assert json.loads(response.read())["success"] is False


def test_ready(api: Any) -> None:
    status, answer, _ = api.request("GET", "/health/")
    assert (status, answer) == (200, {"status": "ok", "plans": 3})


def test_a_connection_serves_many_requests_and_closes_when_asked(api: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", api.target.port, timeout=30)
    with closing(connection):
        connection.connect()
        connected = connection.sock
        for _ in range(3):
            connection.request("GET", "/health/")
            assert connection.getresponse().read()
            assert connection.sock is connected
        # A body that no view reads must not be taken for the next request.
        connection.request("POST", "/nope", b"x" * 1000)
        response = connection.getresponse()
        response.read()
        assert response.status == 404
        connection.request("GET", "/health/", headers={"Connection": "close"})
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert connected.recv(1) == b""


def test_log_has_one_line_for_each_record_and_no_personal_data(api: Any) -> None:
    api.buy("secret-person@example.com")
    api.request("GET", "/nope%0a2026-01-01T00:00:00.000+00:00%20ERROR%20forged")
    form = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 (INFO|WARNING|ERROR) [\w.]+ \S.*"
    )
    log = api.log()
    assert any("Not Found: /nope" in line for line in log)
    assert all(form.fullmatch(line) for line in log)
    assert not any("secret-person" in line or "pi_" in line for line in log)


def test_migrations_fit_the_models(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "qa_runner.demo.settings",
        "QA_RUNNER_DEMO_DATABASE": str(tmp_path / "database.sqlite3"),
    }
    subprocess.run(
        [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
        env=environment,
        check=True,
        timeout=60,
    )
