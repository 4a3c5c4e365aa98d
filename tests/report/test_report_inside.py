"""Where the response time went: the split adds up, is drawn, and is absent where not told."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from run_factory import Factory, Plan, plans

from qa_runner.report.figures import draw_all
from qa_runner.report.html import render
from qa_runner.report.inside import COLUMNS, inside, inside_of_run
from qa_runner.report.source import Source
from qa_runner.store import RunReader
from qa_runner.table import SAMPLES, Table

NAN = math.nan


def told(*rows: tuple[float, float, float, float]) -> Table:
    """Response time, application, database (seconds), queries of each request."""
    columns = np.array(rows, dtype=float).T
    names = ("finished", "application_seconds", "database_seconds", "queries")
    return Table(SAMPLES, {"due": np.zeros(len(rows)), **dict(zip(names, columns, strict=True))})


def test_the_parts_add_up_to_the_mean_response_time() -> None:
    found = inside(told((0.1, 0.08, 0.02, 7), (0.3, 0.2, 0.1, 9)))
    assert found is not None
    assert found.requests == 2
    assert found.network == pytest.approx(0.06)
    assert found.application == pytest.approx(0.08)
    assert found.database == pytest.approx(0.06)
    assert found.response == pytest.approx(0.2)
    assert found.database_p95 == pytest.approx(0.096)
    assert (found.queries_median, found.queries_most) == (8, 9)


def test_requests_that_told_nothing_are_left_out() -> None:
    found = inside(told((0.1, 0.08, 0.02, 7), (9.0, NAN, NAN, NAN), (NAN, 0.1, 0.1, 1)))
    assert found is not None
    assert found.requests == 1
    assert found.response == pytest.approx(0.1)
    assert inside(told((0.1, NAN, NAN, NAN))) is None
    assert inside(told((0.1, NAN, NAN, 7))) is None
    assert inside(Table(SAMPLES)) is None


def test_where_only_one_time_is_told_the_rest_is_not_made_up() -> None:
    only_database = inside(told((0.1, NAN, 0.02, NAN)))
    assert only_database is not None
    assert math.isnan(only_database.network)
    assert only_database.application == pytest.approx(0.08)
    assert only_database.response == pytest.approx(0.1)
    assert math.isnan(only_database.queries_most)
    only_application = inside(told((0.1, 0.07, NAN, NAN)))
    assert only_application is not None
    assert math.isnan(only_application.database)
    assert math.isnan(only_application.database_p95)
    assert only_application.network == pytest.approx(0.03)
    assert only_application.application == pytest.approx(0.07)


def test_a_server_that_claims_more_than_the_whole_has_the_whole() -> None:
    found = inside(told((0.1, 5.0, 0.02, 1), (0.1, 0.05, 7.0, 1)))
    assert found is not None
    assert found.network == pytest.approx(0.025)
    assert found.application == pytest.approx(0.04)
    assert found.database == pytest.approx(0.035)
    assert found.response == pytest.approx(0.1)


TOLD = ("application_seconds", "database_seconds", "queries")


def run(folder: Path, *, told: tuple[str, ...] = TOLD, steps: tuple[int, ...] = (2, 4)) -> Path:
    """These steps; all but the fourth told these columns."""
    factory = Factory(folder)
    for number in steps:
        listed: list[Plan] = [
            replace(plan, told=() if number == 4 else told)
            for plan in plans(failing=0.1, scale=0.1)
            if plan.part.startswith(f"{number}.")
        ]
        factory.step(number, listed)
    return factory.write()


def test_the_report_shows_it_where_it_was_told(tmp_path: Path) -> None:
    folder = run(tmp_path / "run", steps=(2, 3, 4))
    page = render(folder).read_text(encoding="utf-8")
    assert 'href="#inside"' in page
    assert 'id="inside"' in page
    assert (folder / "figures" / "time_inside_the_server.png").stat().st_size > 5_000
    assert 'href="figures/time_inside_the_server.png"' in page
    split = page[page.index('id="inside"') : page.index('id="steps"')]
    assert "of their time was in the database" in split
    assert "Queries per request: 8 to " in split
    for column in COLUMNS:
        assert f">{column}</th>" in split
    steps = dict(
        re.findall(r'<article class="step" id="step-(\d)"(.*?)</article>', page, re.DOTALL)
    )
    shown = [number for number, step in steps.items() if "Where the response time went" in step]
    assert shown == ["2", "3"]
    # As the part's own shares: 90 % of the time in the application, 30 % in the database.
    parts = dict(inside_of_run(Source(RunReader(folder))))
    held = parts["3.3 50 requests, 20 ms apart"]
    assert held.database / (held.application + held.database) == pytest.approx(1 / 3)
    assert held.network < held.response * 0.2


def test_a_run_without_it_has_no_word_of_it(tmp_path: Path) -> None:
    folder = run(tmp_path / "run", told=())
    assert draw_all(Source(RunReader(folder))).inside is None
    page = render(folder).read_text(encoding="utf-8")
    assert "inside the server" not in page.lower()
    assert "Where the response time went" not in page
    assert not (folder / "figures" / "time_inside_the_server.png").exists()


def test_single_requests_alone_have_queries_but_no_bars(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    probe = Plan("8.1", "Recovery", "probe", 3, 2, [], role="probe", told=TOLD)
    factory.step(8, [probe])
    drawing = draw_all(Source(RunReader(factory.write()))).inside
    assert drawing is not None
    assert "no judged request told it" in drawing.svg
    assert "No judged response told how long" in drawing.caption.description
    assert "Queries per request: 8 to 8" in drawing.caption.description
    assert drawing.caption.rows == []


@pytest.mark.parametrize(
    ("told", "says", "remarks"),
    [
        (TOLD, "was in the application and in the database; ", 0),
        (("application_seconds",), "was in the application; ", 1),
        (("database_seconds",), "was in the database; ", 1),
        (("queries",), "No judged response told how long", 0),
    ],
)
def test_the_words_say_no_more_than_was_told(
    tmp_path: Path, told: tuple[str, ...], says: str, remarks: int
) -> None:
    folder = run(tmp_path / "run", told=told)
    drawing = draw_all(Source(RunReader(folder))).inside
    assert drawing is not None
    said = drawing.caption.description
    assert says in said
    assert said.count("Where ") == remarks
    assert ("of their time was in the database" in said) == ("database_seconds" in told)
    assert ("The number of queries was not told." in said) == ("queries" not in told)


def test_steps_say_what_was_not_told_apart(tmp_path: Path) -> None:
    page = render(run(tmp_path / "run", told=("database_seconds",))).read_text(encoding="utf-8")
    assert page.count('<p class="quiet">Where only the time in the database was told') == 1
