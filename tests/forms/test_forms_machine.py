"""result.json: as its published schema describes it, with the figures of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from qa_runner.report.forms.machine import machine
from qa_runner.report.forms.machine_schema import schema
from qa_runner.report.forms.story import Story
from qa_runner.report.source import response_seconds

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema" / "result-1.schema.json"


def document(story: Story) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(machine(story))
    return found


def test_it_is_valid(story: Story) -> None:
    described = schema()
    jsonschema.Draft202012Validator.check_schema(described)
    found = document(story)
    jsonschema.Draft202012Validator(described).validate(found)
    assert found["$schema"] == described["$id"]
    assert found["verdict"] == story.run.verdict


def test_the_schema_says_no_to_what_is_wrong(stories: dict[str, Story]) -> None:
    found = document(stories["passing"])
    validator = jsonschema.Draft202012Validator(schema())
    for name in found:
        assert not validator.is_valid({key: found[key] for key in found if key != name})
    assert not validator.is_valid(found | {"verdict": "GREEN"})
    found["criteria"][0]["measured"] = "fast"
    assert not validator.is_valid(found)


def test_the_published_schema_is_this_one() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema()


def test_every_object_and_every_field_that_is_not_plain_is_described() -> None:
    described = schema()
    for name, held in {"Result": described, **described["$defs"]}.items():
        assert held.get("description"), name
    lacking = {
        f"{name}.{field}"
        for name, held in described["$defs"].items()
        for field, kind in held.get("properties", {}).items()
        if kind.get("type") in ("number", "boolean") and "description" not in kind
    }
    assert lacking <= {
        "Criterion.limit",
        *(f"ResponseTime.{name}" for name in ("mean", "median", "p90", "p95", "p99", "max")),
    }


def test_criteria_with_what_was_measured(stories: dict[str, Story]) -> None:
    story = stories["failing"]
    found = {row["id"]: row for row in document(story)["criteria"]}
    assert list(found) == [criterion.id for criterion in story.run.criteria()]
    row = found["3.1-success-rate"]
    assert (row["measured"], row["operator"], row["limit"], row["unit"]) == (80, "==", 100, "%")
    assert (row["step"], row["part"], row["verdict"], row["counts"]) == (3, "3.1", "FAIL", True)
    assert row["interval"] == pytest.approx([77.6, 81.6])
    assert found["3-success-rate"]["part"] == ""
    assert found["5.1-unaccounted-transactions"]["measured"] is None
    counts = document(story)["counts"]
    assert counts["FAIL"] == sum(c["verdict"] == "FAIL" for c in found.values())
    assert counts["INCONCLUSIVE"] == 1


def test_a_prerequisite_does_not_count(stories: dict[str, Story]) -> None:
    found = document(stories["one_step_with_prerequisite"])
    assert {row["id"]: row["counts"] for row in found["criteria"]}["1.2-status"] is False
    assert found["counts"]["FAIL"] == 0
    assert found["verdict"] == "PASS"


def test_loads_with_their_figures(stories: dict[str, Story]) -> None:
    story = stories["failing"]
    step = story.run.steps[2]
    attempt = step.attempts[-1]
    load = attempt.parts[0].loads[0]
    samples = story.source.samples(attempt)
    mine = samples.where(samples.number("load") == load.number)
    times = response_seconds(mine)
    row = document(story)["steps"][2]["parts"][0]["loads"][0]
    assert row["outcomes"] == {"server error": 1, "success": 4}
    assert row["requests"] == row["response_time"]["requests"] == 5
    assert row["response_time"]["p95"] == pytest.approx(np.percentile(times, 95))
    assert row["response_time"]["median"] == pytest.approx(np.median(times))
    assert row["response_time"]["max"] == pytest.approx(times.max())
    good = mine.number("finished")[mine.text_equals("outcome", "success")].max()
    rate = 4 / (good - mine.number("due").min())
    assert row["successes_per_second"] == pytest.approx(rate)


def test_findings_name_their_criteria(stories: dict[str, Story]) -> None:
    found = document(stories["failing"])
    ids = {row["id"] for row in found["criteria"]}
    assert found["findings"]
    assert all(set(row["criteria"]) <= ids for row in found["findings"])
    assert any("3.1-success-rate" in row["criteria"] for row in found["findings"])


def test_a_step_that_did_not_run_is_there(stories: dict[str, Story]) -> None:
    found = document(stories["was_killed"])
    assert [step["number"] for step in found["steps"]] == [1, 2, 3, 4]
    assert found["run"]["status"] == "running"
    assert found["steps"][3]["verdict"] == "INCONCLUSIVE"
    assert found["steps"][3]["parts"] == []
