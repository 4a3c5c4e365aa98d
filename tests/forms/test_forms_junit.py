"""JUnit XML: valid, complete, and never better than the run."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest
import xmlschema
from report.run_factory import Factory, Plan

from qa_runner.report.forms.junit import junit
from qa_runner.report.forms.story import Story
from qa_runner.verdict import Verdict

SCHEMA = Path(__file__).parent / "schemas" / "junit-10.xsd"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMA)


def suite_of(story: Story, *, inconclusive_fails: bool = False) -> ET.Element:
    root = ET.fromstring(junit(story, inconclusive_fails=inconclusive_fails))  # noqa: S314 (ours)
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    return suite


def outcomes(suite: ET.Element) -> dict[str, str]:
    """By name: the element within the test case, or "passed"."""
    cases = suite.findall("testcase")
    found = {case.attrib["name"]: case[0].tag if len(case) else "passed" for case in cases}
    assert len(found) == len(cases)
    return found


def test_it_is_valid_and_its_totals_are_right(story: Story, schema: xmlschema.XMLSchema) -> None:
    schema.validate(junit(story).decode())
    suite = suite_of(story)
    counted = Counter(outcomes(suite).values())
    assert int(suite.attrib["tests"]) == counted.total() == len(story.results)
    for total, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[total]) == counted[element]


def test_order_is_that_of_the_strict_schema(story: Story) -> None:
    """Ant's: properties, the cases with one outcome at most each, output, errors."""
    suite = suite_of(story)
    tags = [element.tag for element in suite]
    cases = ["testcase"] * len(story.results)
    assert tags == ["properties", *cases, "system-out", "system-err"]
    assert all(len(case) <= 1 for case in suite.findall("testcase"))


def test_each_criterion_is_a_test_case(stories: dict[str, Story]) -> None:
    story = stories["failing"]
    found = outcomes(suite_of(story))
    words = {Verdict.FAIL: "failure", Verdict.PASS: "passed", Verdict.INCONCLUSIVE: "skipped"}
    for criterion in story.run.criteria():
        assert found[criterion.id] == words[criterion.verdict]
    assert set(found.values()) == {"passed", "failure", "skipped"}
    # What the target cannot have is told as well.
    assert found["5.1-database-time-p95"] == "skipped"


def test_a_failure_says_what_was_measured_the_limit_and_the_likely_cause(
    stories: dict[str, Story],
) -> None:
    suite = suite_of(stories["failing"])
    case = next(c for c in suite if c.attrib.get("name") == "3.1-success-rate")
    assert case.attrib["classname"] == "PURCHASE-006.step-3.part-3-1"
    failure = case[0]
    assert failure.attrib["message"] == "measured 80 %, limit == 100 %"
    assert failure.attrib["type"] == "success_rate"
    assert failure.text is not None
    for words in ("success_rate == 100 %", "3.1 5 simultaneous requests", "likely cause: "):
        assert words in failure.text
    assert "95 % interval: 77.6 to 81.6 %" in failure.text


def test_inconclusive_is_skipped_with_its_reason_or_fails(stories: dict[str, Story]) -> None:
    name = "5.1-unaccounted-transactions"
    for fails, element in ((False, "skipped"), (True, "failure")):
        suite = suite_of(stories["failing"], inconclusive_fails=fails)
        case = next(c for c in suite if c.attrib.get("name") == name)
        assert case[0].tag == element
        assert case[0].attrib["message"] == "no database probe was connected"
    # What was never to be judged is no failure.
    assert outcomes(suite)["5.1-database-time-p95"] == "skipped"


@pytest.mark.parametrize("name", ["interrupted", "was_killed", "crashed_without_criteria"])
def test_what_did_not_come_to_its_end_is_not_green(name: str, stories: dict[str, Story]) -> None:
    assert "error" in outcomes(suite_of(stories[name])).values()


def test_a_failed_prerequisite_is_not_part_of_the_run(stories: dict[str, Story]) -> None:
    story = stories["one_step_with_prerequisite"]
    assert story.run.verdict is Verdict.PASS
    suite = suite_of(story)
    assert outcomes(suite)["1.2-status"] == "skipped"
    assert suite.attrib["failures"] == "0"
    case = next(c for c in suite if c.attrib.get("name") == "1.2-status")
    assert "it was FAIL: measured 500, limit == 201" in case[0].attrib["message"]


def test_a_run_without_criteria_is_not_green(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", excluded=[])
    factory.step(1, [Plan("1.1", "Nothing", "", 0, 1, [])])
    story = Story(factory.write())
    assert story.run.verdict is Verdict.INCONCLUSIVE
    assert story.results
    assert set(outcomes(suite_of(story, inconclusive_fails=True)).values()) >= {"failure"}


def test_the_time_of_a_part_is_counted_once(stories: dict[str, Story]) -> None:
    story = stories["passing"]
    total = sum(float(case.attrib["time"]) for case in suite_of(story).findall("testcase"))
    parts = [part for step in story.run.steps for part in step.attempts[-1].parts]
    judged = [part for part in parts if part.criteria]
    assert total == pytest.approx(sum(part.end - part.start for part in judged), abs=0.05)


def test_properties_and_time_stamp(stories: dict[str, Story]) -> None:
    suite = suite_of(stories["failing"])
    found = {held.attrib["name"]: held.attrib["value"] for held in suite.iter("property")}
    assert found["verdict"] == "FAIL"
    assert found["target"] == "demo"
    assert found["profile"] == "full"
    assert found["version"] == "0.1.0"
    assert suite.attrib["timestamp"] == "2026-11-21T09:00:00"  # UTC
    assert suite.attrib["time"] == "402.300"
