"""What a run that ended early did not reach is in its result, and in every form of it."""

from __future__ import annotations

import csv
import json
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import msgspec
import pytest
from own_case import own_case

from qa_runner.criteria import CriterionResult
from qa_runner.errors import QaRunnerError
from qa_runner.events import Event, PartFinished, PartStarted
from qa_runner.report.csv import write_csv
from qa_runner.report.forms.ctrf import ctrf
from qa_runner.report.forms.junit import junit
from qa_runner.report.forms.machine import machine
from qa_runner.report.forms.machine_schema import schema
from qa_runner.report.forms.story import Story
from qa_runner.report.html import render
from qa_runner.result import RunResult, StepResult
from qa_runner.runner import Runner
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.store import RunReader

CASE = '''
from qa_runner import Step, StepContext, TestCase, part

RULE = "server_processes == 3"


class First(Step):
    """The first."""

    number = 1
    title = "First"
    figure = "01_first"
    criteria = ("server_processes >= 1",)

    @part("1.1", "One", criteria=(RULE,))
    def one(self, ctx: StepContext) -> None:
        """Nothing."""
        ctx.record("server_processes", 3)

    @part("1.2", "Two", criteria=(RULE,))
    def two(self, ctx: StepContext) -> None:
        """Nothing."""
        ctx.record("server_processes", 3)


class Second(Step):
    """The second."""

    number = 2
    title = "Second"
    figure = "02_second"
    criteria = ("server_processes >= 1",)

    @part("2.1", "One", criteria=(RULE, "database_time p(95) < 1 s"))
    def one(self, ctx: StepContext) -> None:
        """Nothing."""
        ctx.record("server_processes", 3)

    @part("2.2", "Two", criteria=(RULE,))
    def two(self, ctx: StepContext) -> None:
        """Nothing."""
        ctx.record("server_processes", 3)


class Case(TestCase):
    """A case."""

    id = "MINE-1"
    name = "Mine"
    description = "For the tests"
    steps = (First, Second)

    def preflight(self, ctx: StepContext) -> None:
        """Nothing either."""
        ctx.sleep(0.01)
'''
WHY = "not reached: interrupted by Ctrl-C"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunSettings]:
    with own_case(CASE, tmp_path, monkeypatch) as settings:
        yield settings


def stopped_after(part: str, stop: StopToken) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, PartFinished) and event.result.id == part:
            stop.stop("by Ctrl-C")

    return listen


def interrupted(settings: RunSettings, part: str) -> RunResult:
    """A run that is interrupted when ``part`` is over."""
    stop = StopToken()
    return Runner([stopped_after(part, stop)], stop, lambda *_: None).run(settings)


def folder_of(settings: RunSettings, run: RunResult) -> Path:
    return settings.output / "mine-1" / run.run_id


def told(step: StepResult) -> list[tuple[str, str, str]]:
    return [(held.id, str(held.verdict), held.reason) for held in step.criteria()]


def ids(results: list[CriterionResult]) -> list[str]:
    return [result.id for result in results]


ALL = [
    "1.1-server-processes",
    "1.2-server-processes",
    "1-server-processes",
    "2.1-server-processes",
    "2.2-server-processes",
    "2-server-processes",
]


def test_every_criterion_of_the_scope_is_in_the_result_in_its_order(settings: RunSettings) -> None:
    run = interrupted(settings, "1.1")
    assert ids(run.criteria()) == ALL
    first, second = run.steps
    assert told(first) == [
        ("1.1-server-processes", "PASS", ""),
        ("1.2-server-processes", "INCONCLUSIVE", WHY),
        ("1-server-processes", "INCONCLUSIVE", "not finished: stopped with Ctrl-C"),
    ]
    assert told(second) == [(name, "INCONCLUSIVE", WHY) for name in ALL[3:]]
    assert all(held.measured is None for held in second.criteria())
    assert [str(step.verdict) for step in run.steps] == ["INCONCLUSIVE"] * 2
    assert run.reason == ("Interrupted by Ctrl-C. 1 of 6 criteria passed, 5 could not be measured.")
    # As of a step that ran: what the target cannot have is no part of the run.
    assert [line.split(":")[0] for line in run.excluded] == ["2.1-database-time-p95"]
    assert RunReader(folder_of(settings, run)).result() == run


def test_all_forms_count_alike(settings: RunSettings) -> None:
    run = interrupted(settings, "1.2")
    folder = folder_of(settings, run)
    story = Story(folder)
    suite = ET.fromstring(junit(story)).find("testsuite")  # noqa: S314 (our own)
    assert suite is not None
    named = {str(case.get("name")): str(case.get("classname")) for case in suite.iter("testcase")}
    assert list(named) == [*ALL, "2.1-database-time-p95", "run-completed"]
    assert named["2.2-server-processes"] == "MINE-1.step-2.part-2-2"
    document = json.loads(machine(story))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert [held["id"] for held in document["criteria"]] == ALL
    assert [held["part"] for held in document["criteria"]] == ["1.1", "1.2", "", "2.1", "2.2", ""]
    counts = Counter(str(held.verdict) for held in run.criteria())
    assert {name: count for name, count in document["counts"].items() if count} == counts
    assert set(ALL) <= {test["name"] for test in json.loads(ctrf(story))["results"]["tests"]}
    write_csv(folder)
    with (folder / "criteria.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["attempt"]) for row in rows] == [
        (name, "1" if name[0] == "1" else "") for name in ALL
    ]
    page = render(folder).read_text()
    assert page.count("Criteria of step 2 that the run ended before") == 1
    assert "Criteria of step 1 that the run ended before" not in page
    assert run.reason in page


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        (("1",), ALL[:3]),
        (("1.1", "2.2"), [ALL[0], ALL[2], ALL[4], ALL[5]]),
    ],
)
def test_only_what_was_selected_counts(
    settings: RunSettings, steps: tuple[str, ...], names: list[str]
) -> None:
    run = interrupted(msgspec.structs.replace(settings, steps=steps), "1.1")
    assert ids(run.criteria()) == names
    verdicts = {held.id: str(held.verdict) for held in run.criteria()}
    if len(steps) > 1:  # of both steps a part was left out
        assert verdicts["1-server-processes"] == verdicts["2-server-processes"] == "SKIPPED"
        assert run.reason.endswith("1 of 2 criteria passed, 1 could not be measured.")
        assert run.excluded == []


def test_a_run_that_comes_to_its_end_leaves_nothing_unreached(settings: RunSettings) -> None:
    run = Runner([], StopToken(), lambda *_: None).run(settings)
    assert [step.unreached for step in run.steps] == [[], []]
    assert run.reason.startswith("All 6 criteria passed")


@pytest.mark.parametrize("error", [QaRunnerError("gone"), KeyboardInterrupt()], ids=type)
def test_whatever_ends_a_run_between_two_parts_leaves_no_pass(
    settings: RunSettings, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_sequence: object, _step: object, result: object) -> None:
        raise error

    monkeypatch.setattr("qa_runner.sequence.StepSequence.part_finished", broken)
    run = Runner([], StopToken(), lambda *_: None).run(settings)
    assert ids(run.criteria()) == ALL
    assert str(run.steps[0].verdict) == "INCONCLUSIVE"
    assert run.steps[0].latest
    assert str(run.steps[0].latest.verdict) == "INCONCLUSIVE"
    assert str(run.criteria()[0].verdict) == "PASS"
    assert {held.reason for held in run.criteria()[1:]} == {
        "not reached: ended early: gone"
        if isinstance(error, QaRunnerError)
        else "not reached: interrupted by Ctrl-C, twice"
    }


def test_a_rerun_replaces_what_was_not_reached(settings: RunSettings) -> None:
    run = interrupted(settings, "1.1")
    folder = folder_of(settings, run)
    again = Runner([], StopToken(), lambda *_: None).rerun(folder, 2)
    assert ids(again.criteria()) == ALL
    assert {str(held.verdict) for held in again.steps[1].criteria()} == {"PASS"}
    # The other step is still as it was.
    assert again.steps[0] == run.steps[0]
    assert again.reason.startswith("2 of 6 criteria could not be measured")
    Runner([], StopToken(), lambda *_: None).rerun(folder, 1)
    assert RunReader(folder).result().reason.startswith("All 6 criteria passed")


def test_a_rerun_that_is_interrupted_has_what_it_did_not_reach(settings: RunSettings) -> None:
    run = Runner([], StopToken(), lambda *_: None).run(settings)
    folder = folder_of(settings, run)
    stop = StopToken()
    again = Runner([stopped_after("2.1", stop)], stop, lambda *_: None).rerun(folder, 2)
    assert ids(again.criteria()) == ALL
    assert told(again.steps[1])[1] == ("2.2-server-processes", "INCONCLUSIVE", WHY)
    assert again.steps[0] == run.steps[0]


def test_while_a_run_goes_on_its_file_has_what_it_has_not_reached(settings: RunSettings) -> None:
    seen: list[list[str]] = []

    def listen(event: Event) -> None:
        if isinstance(event, PartStarted):
            stored = RunReader(next(settings.output.glob("mine-1/run-*"))).result()
            assert ids(stored.criteria()) == ALL
            late = [held for step in stored.steps for held in step.unreached]
            assert {held.reason for held in late} == {
                "not reached: the run has not come to its end"
            }
            assert str(stored.verdict) == "INCONCLUSIVE"
            seen.append(ids(late))

    run = Runner([listen], StopToken(), lambda *_: None).run(settings)
    assert seen == [ALL, ALL[1:], ALL[3:], ALL[4:]]
    assert run.reason.startswith("All 6 criteria passed")


def test_a_killed_run_accuses_nobody_and_counts_each_criterion_once(
    settings: RunSettings, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"

    def listen(event: Event) -> None:
        if isinstance(event, PartStarted) and event.id == "2.2":
            shutil.copytree(next(settings.output.glob("mine-1/run-*")), killed)

    Runner([listen], StopToken(), lambda *_: None).run(settings)
    page = render(killed).read_text()
    for words in (
        "4 of 6 criteria judged so far, 0 failed.",
        "The run was killed, or goes on in step 2; what it had not measured is inconclusive.",
        "Not reached · 2 criteria inconclusive",
    ):
        assert page.count(words) == 1, words
    assert "Likely cause" not in page
    listed = page[page.index('id="criteria"') : page.index('id="wrong"')]
    assert [listed.count(f">{name}<") for name in ALL] == [1] * 6


def test_what_an_interrupted_run_did_not_reach_is_not_the_reruns(settings: RunSettings) -> None:
    run = interrupted(settings, "1.1")
    folder = folder_of(settings, run)
    seen: list[set[str]] = []

    def listen(event: Event) -> None:
        if isinstance(event, PartStarted) and event.id == "2.1":
            steps = RunReader(folder).result().steps
            seen.extend({held.reason for held in step.unreached} for step in steps)

    Runner([listen], StopToken(), lambda *_: None).rerun(folder, 2)
    assert seen == [{WHY}, {"not reached: the run has not come to its end"}]
