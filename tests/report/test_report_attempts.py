"""Attempts that were killed, and rows that an earlier session left in the same file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from run_factory import Factory, Plan, killed, plans, session

from qa_runner.report.charts.timeaxis import TimeAxis
from qa_runner.report.failures import groups
from qa_runner.report.figures import draw_all
from qa_runner.report.html import page
from qa_runner.report.source import Source
from qa_runner.report.trust import trust
from qa_runner.result import StepResult
from qa_runner.store import RunReader


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    return Factory(tmp_path / "run", sessions=[session(1), session(2)])


def some(prefix: str, failing: float = 0.0) -> list[Plan]:
    return [plan for plan in plans(failing, 0.05) if plan.part.startswith(prefix)]


def said(text: str, start: str, end: str) -> str:
    """The words between two places of a page."""
    within = text[text.index(start) : text.index(end, text.index(start))]
    return " ".join(re.sub("<[^>]*>", " ", within).split())


@pytest.fixture
def mixed(factory: Factory) -> tuple[Factory, StepResult]:
    """Step 3.1 in session 2; the same file has failed requests of session 1, of equal numbers."""
    factory.step(3, some("3.1", failing=1.0), session_id=1)
    factory.run.steps.clear()
    factory.now, factory.load = 500.0, 0
    return factory, factory.step(3, some("3.1"), session_id=2)


def test_samples_of_another_session_are_left_out(mixed: tuple[Factory, StepResult]) -> None:
    factory, step = mixed
    source = Source(RunReader(factory.write()))
    samples = source.samples(step.attempts[0])
    assert samples.number("session").tolist() == [2.0] * 5
    assert len(source.all_samples) == 10
    data = source.step(source.run.steps[0])
    assert data is not None
    assert len(data.main()) == 5
    assert groups(source) == []
    lateness = dict(trust(source)["facts"])["Lateness of sends in bursts and arrival rates"]
    assert lateness.endswith("of 5 requests")
    glance = draw_all(source).timeline
    assert [row[5:7] for row in glance.caption.rows] == [["5", "0"]]


def test_errors_are_told_on_the_clock_of_their_session(factory: Factory) -> None:
    factory.step(3, some("3.1"), session_id=1)
    factory.run.steps.clear()
    factory.now, factory.load = 10.0, 0
    factory.step(3, some("3.1", failing=1.0), session_id=2)
    (group,) = groups(Source(RunReader(factory.write())))
    assert group.count == 5
    assert group.first
    assert group.last
    assert group.first[0] == group.last[0] == 2.0


def test_an_attempt_that_was_killed_at_once_did_not_finish(factory: Factory) -> None:
    factory.run.status = "running"
    factory.step(2, some("2."))
    held = killed(factory, 3, some("3.1"))
    held.parts = []
    text = page(RunReader(factory.write()))
    step = said(text, 'id="step-3"', "</article>")
    assert "INCONCLUSIVE" in step
    assert "Attempt 1 did not finish" in step
    assert "not to the end" in step
    assert "Not run." not in step
    assert "no requests were sent" not in step  # there are five, of a part that is not known
    assert "Attempt 1 of step 3 did not finish." in said(text, 'id="wrong"', "</section>")
    banner = said(text, "<header", "</header>")
    assert "This run has not finished; the last step begun is 3 Concurrent requests." in banner
    assert re.search(r"\d+ of \d+ criteria judged so far, 0 failed\.", banner)
    assert "did not finish INCONCLUSIVE 5 0" in said(text, 'id="glance"', "</section>")


def test_a_killed_attempt_shows_the_parts_that_it_has(factory: Factory) -> None:
    factory.run.status = "running"
    held = killed(factory, 3, some("3.1") + some("3.2"))
    del held.parts[1]
    held.verdict = held.parts[0].verdict
    source = Source(RunReader(factory.write()))
    data = source.step(source.run.steps[0])
    assert data is not None
    assert len(data.series["server"]) > 4  # not cut off where the attempt began
    assert TimeAxis(source).spans[1][1] > held.parts[0].end
    text = page(RunReader(factory.folder))
    step = said(text, 'id="step-3"', "</article>")
    assert "Attempt 1 did not finish" in step
    head = said(text, 'id="step-3-title"', "</h3>")
    assert head.endswith("? INCONCLUSIVE")
    assert "PASS" in said(text, 'id="part-3.1"', "</h4>")


def test_a_failure_of_a_killed_attempt_stays_a_failure(factory: Factory) -> None:
    factory.run.status = "running"
    killed(factory, 3, some("3.1", failing=1.0))
    head = said(page(RunReader(factory.write())), 'id="step-3-title"', "</h3>")
    assert head.endswith("FAIL")


def test_a_rerun_names_the_earlier_attempt_that_was_killed(factory: Factory) -> None:
    killed(factory, 2, some("2.1")).parts = []
    factory.step(2, some("2."), attempt=2)
    text = page(RunReader(factory.write()))
    assert "Attempt 2 of 2 (attempt 1: did not finish)" in text
    head = said(text, 'id="step-2-title"', "</h3>")
    assert head.endswith("PASS")


def test_a_rerun_that_was_killed_does_not_show_the_earlier_verdict(factory: Factory) -> None:
    step = factory.step(2, some("2."))
    earlier = step.verdict
    killed(factory, 2, some("2.1"), attempt=2).parts = []
    step.verdict = earlier
    text = page(RunReader(factory.write()))
    assert "Attempt 2 of 2 did not finish (attempt 1: PASS)" in text
    head = said(text, 'id="step-2-title"', "</h3>")
    assert head.endswith("INCONCLUSIVE")
