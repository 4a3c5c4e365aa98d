"""Requests in httpx's words."""

from __future__ import annotations

import json

import pytest

from qa_runner.load.request import request


def test_json_is_encoded_once_with_its_type_and_the_fields_stay() -> None:
    built = request("post", "/buy/{tag}/", json={"name": "Ada {i}", "deep": {"mail": "é{tag}@x"}})
    assert (built.method, built.url) == ("POST", "/buy/{tag}/")
    assert dict(built.headers)["Content-Type"] == "application/json"
    assert json.loads(built.body) == {"name": "Ada {i}", "deep": {"mail": "é{tag}@x"}}


def test_params_and_form_data_are_encoded_and_the_fields_stay() -> None:
    built = request(
        "POST", "http://127.0.0.1/a", params={"q": "a b&c", "n": "{i}"}, data={"k": "{tag} é"}
    )
    assert built.url == "http://127.0.0.1/a?q=a+b%26c&n={i}"
    assert built.body == "k={tag}+%C3%A9"
    assert dict(built.headers)["Content-Type"] == "application/x-www-form-urlencoded"


def test_what_belongs_to_the_connection_is_left_to_the_engine() -> None:
    names = {
        name.lower() for name, _ in request("POST", "/", content="x", headers={"X-A": "1"}).headers
    }
    assert "x-a" in names
    assert not names & {"host", "content-length", "connection"}


def test_what_cannot_be_encoded_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"POST /: .*not JSON serializable"):
        request("POST", "/", json={"a": object()})


def test_a_path_without_its_slash_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"GET health: a path begins with /"):
        request("GET", "health")
