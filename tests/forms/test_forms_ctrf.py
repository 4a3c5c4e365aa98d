"""CTRF: valid against its schema, complete, and never better than the run."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qa_runner.report.forms.ctrf import ctrf
from qa_runner.report.forms.story import Story

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "ctrf.schema.json").read_text("utf-8"))


def report(story: Story, *, inconclusive_fails: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ctrf(story, inconclusive_fails=inconclusive_fails))
    return found


def test_it_is_valid_and_its_totals_are_right(story: Story) -> None:
    found = report(story)
    kind = jsonschema.validators.validator_for(SCHEMA)
    kind.check_schema(SCHEMA)
    kind(SCHEMA, format_checker=kind.FORMAT_CHECKER).validate(found)
    summary, tests = found["results"]["summary"], found["results"]["tests"]
    assert summary["tests"] == len(tests) == len(story.results)
    counted = Counter(test["status"] for test in tests)
    for status in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[status] == counted[status]
    assert summary["start"] <= summary["stop"]
    assert len({test["id"] for test in tests}) == len(tests)


def test_statuses(stories: dict[str, Story]) -> None:
    found = {test["name"]: test for test in report(stories["failing"])["results"]["tests"]}
    assert found["3.1-success-rate"]["status"] == "failed"
    assert found["3.1-success-rate"]["message"] == "measured 80 %, limit == 100 %"
    assert found["3.1-success-rate"]["trace"]
    assert found["3.1-success-rate"]["suite"] == [
        "PURCHASE-006",
        "Step 3 Concurrent requests",
        "3.1 5 simultaneous requests",
    ]
    assert found["1.2-status"]["status"] == "passed"
    assert found["5.1-database-time-p95"]["status"] == "skipped"
    unmeasured = "5.1-unaccounted-transactions"
    assert found[unmeasured]["status"] == "other"
    assert found[unmeasured]["rawStatus"] == "INCONCLUSIVE"
    strict = report(stories["failing"], inconclusive_fails=True)["results"]["tests"]
    assert {test["name"]: test["status"] for test in strict}[unmeasured] == "failed"


@pytest.mark.parametrize("name", ["interrupted", "was_killed", "crashed_without_criteria"])
def test_what_did_not_come_to_its_end_has_failed(name: str, stories: dict[str, Story]) -> None:
    found = report(stories[name])["results"]
    assert found["summary"]["failed"]
    assert found["environment"]["healthy"] is False


def test_a_test_has_the_same_id_in_every_run(stories: dict[str, Story]) -> None:
    one, other = (
        {test["name"]: test["id"] for test in report(stories[name])["results"]["tests"]}
        for name in ("passing", "failing")
    )
    assert one["3.1-success-rate"] == other["3.1-success-rate"]
    assert report(stories["passing"])["results"]["environment"]["healthy"] is True


def test_times_are_those_of_the_part(stories: dict[str, Story]) -> None:
    story = stories["passing"]
    part = story.run.steps[1].attempts[-1].parts[0]
    tests = {test["name"]: test for test in report(story)["results"]["tests"]}
    first = tests["2.1-success-rate"]
    began = 1_795_251_600_000  # 2026-11-21T10:00:00+01:00, when session 1 began
    assert first["start"] == began + round(1000 * part.start)
    assert first["stop"] - first["start"] == first["duration"] == 11_000
    assert tests["2.1-response-time-mean"]["duration"] == 0
