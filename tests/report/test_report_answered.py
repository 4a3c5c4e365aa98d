"""A connection that was refused at once makes no server look quick, in no figure and no table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from diagnosed import Part, samples
from run_factory import Factory, Plan

from qa_runner.report.charts.attempts_table import by_attempt
from qa_runner.report.charts.marks import described, summary
from qa_runner.report.figures import draw_all
from qa_runner.report.source import Source
from qa_runner.store import RunReader
from qa_runner.table import Table


@pytest.fixture
def table() -> Table:
    """20 answers of 5 s, and 60 connections that were refused within half a millisecond."""
    outcomes = ["success"] * 20 + ["connection error"] * 60
    service = [5.0] * 20 + [0.0005] * 60
    return samples(Part("3.1", 80, columns={"outcome": outcomes, "service": service}), 1)


def test_the_summary_counts_answers_only(table: Table) -> None:
    assert summary("3.1", table)[:5] == ["3.1", "80", "20", "5 s", "5 s"]
    assert described(table).startswith("80 requests, median 5 s, p(95) 5.00 s")


@pytest.mark.parametrize("number", [2, 3, 4, 7])
def test_no_figure_says_otherwise(tmp_path: Path, table: Table, number: int) -> None:
    factory = Factory(tmp_path / "run")
    factory.step(number, [Plan(f"{number}.1", "Refused", "", 1, 10, [])])
    attempt = factory.run.steps[-1].attempts[-1]
    columns = {name: table.number(name) for name in ("due", "started", "finished")}
    outcome = {"outcome": table.text("outcome"), "part": [f"{number}.1"] * 80}
    rest = {"session": np.ones(80), "load": np.ones(80), "role": ["main"] * 80}
    attempt.samples = "samples/refused.npy"
    factory.writer.append_samples(attempt.samples, Table(table.columns, columns | outcome | rest))
    source = Source(RunReader(factory.write()))
    drawings = draw_all(source)
    words = drawings.steps[number].caption.description
    assert " ms" not in words, words
    assert by_attempt(source)[0][7] == "5.00 s"
