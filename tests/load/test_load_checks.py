"""Checks of a response: values of JSON, in lists and objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_bench import respond

from qa_runner.load.check import Checker, Finding
from qa_runner.load.json_path import MISSING, difference, find, parse_path
from qa_runner.load.request import request
from qa_runner.load.response import Response, ResponseReader

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab0.", max_size=3)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab0"), inner),
    max_leaves=8,
)


def response(document: Any, status: str = "200 OK") -> Response:
    made = ResponseReader().feed(respond(json.dumps(document).encode(), status))
    assert made is not None
    return made


def judged(document: Any, **asked: Any) -> Finding:
    return Checker(request("GET", "/", **asked)).judge(response(document), "")


def test_values_are_found_in_lists() -> None:
    document = {"items": [{"id": 7}, {"id": 8, "tags": ["x", "y"]}], "0": "zero"}
    found = judged(
        document,
        required=("items.1.id",),
        expect={"items.0.id": 7, "items.1.tags": ["x", "y"], "0": "zero"},
        extract=("items.1.tags.0", "items.1", "items.9", "items.-1", "items.x"),
    )
    assert found.outcome == "success"
    assert json.loads(found.extracted) == {
        "items.1.tags.0": "x",
        "items.1": {"id": 8, "tags": ["x", "y"]},
    }


@pytest.mark.parametrize(
    ("document", "expect", "said"),
    [
        ({"a": {"b": "no"}}, {"a.b": "yes"}, 'a.b is "no", not "yes"'),
        ({"a": 1}, {"a": True}, "a is 1, not true"),
        ({"a": [0]}, {"a": [False]}, "a is [0], not [false]"),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, 'a is {"x":1,"y":2}, not {"x":1}'),
        ({"a": None}, {"a": ""}, 'a is null, not ""'),
        ({}, {"a": None}, "a is missing"),
        ([1], {"a": 1}, "body is not a JSON object"),
        ([1], {"1": 1}, "1 is missing"),
        ({"a": "token=hunter2"}, {"a": 1}, 'a is "token=[redacted]", not 1'),
        ({"a": {"api_token": "hunter2"}}, {"a.api_token": "x"}, "a.api_token is another value"),
    ],
)
def test_other_values_are_invalid_in_words(
    document: Any, expect: dict[str, Any], said: str
) -> None:
    found = judged(document, expect=expect)
    assert (found.outcome, found.error) == ("invalid", said)


@pytest.mark.parametrize(
    ("document", "expect"),
    [
        ({"a": 1.0}, {"a": 1}),
        ({"a": None}, {"a": None}),
        ([[3]], {"0.0": 3}),
        ({"a": {}}, {"a": {}}),
    ],
)
def test_equal_values_are_valid(document: Any, expect: dict[str, Any]) -> None:
    assert judged(document, expect=expect).outcome == "success"


def test_long_values_are_cut() -> None:
    error = judged({"a": "x" * 5000}, expect={"a": 1}).error
    assert len(error) < 120


@given(documents)
def test_a_document_differs_from_nothing_but_what_it_is_not(document: Any) -> None:
    assert difference(json.loads(json.dumps(document)), document) == ""
    assert difference([document], document) != ""


@given(documents, st.text("ab01.", max_size=6))
def test_any_path_finds_a_part_or_nothing(document: Any, path: str) -> None:
    found = find(document, parse_path(path))
    assert found is MISSING or json.dumps(found) in json.dumps(document)
