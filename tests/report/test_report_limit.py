"""Which limit is drawn over a step's values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from run_factory import Factory, Plan, plans

from qa_runner.report.charts import timeline
from qa_runner.report.charts.timeaxis import TimeAxis
from qa_runner.report.source import Source
from qa_runner.store import RunReader


def limit(folder: Path, *criteria: str) -> float | None:
    factory = Factory(folder)
    found: list[tuple[str, float | None]] = [(text, 0.02) for text in criteria]
    factory.step(4, [Plan("4.1", "Sustained", "", 10, 10, found)])
    source = Source(RunReader(factory.write()))
    step = source.step(source.run.steps[0])
    assert step is not None
    return step.limit("response_time", "p(95)")


def test_the_limit_of_some_of_the_requests_is_not_drawn_over_all(tmp_path: Path) -> None:
    some, every = (
        "response_time{endpoint:search} p(95) < 30 ms",
        "response_time p(95) < 5 s",
    )
    assert limit(tmp_path / "some", some) is None
    assert limit(tmp_path / "both", some, every) == 5


def test_the_glance_draws_a_limit_over_what_it_judges_and_no_load_before_it(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    factory.step(4, [plan for plan in plans(scale=0.05) if plan.part.startswith("4.")])
    (recovery,) = (plan for plan in plans(scale=0.05) if plan.part == "8.1")
    recovery.criteria.append(("response_time median < 2 s", 0.03))
    factory.step(8, [recovery])
    source = Source(RunReader(factory.write()))
    figure = Figure()
    timeline.paint(source, figure)
    drawn = [held for held in figure.axes[1].collections if isinstance(held, LineCollection)]
    spans = [held.get_segments()[0][:, 0].tolist() for held in drawn]
    axis, samples = TimeAxis(source), source.all_samples
    ends = {
        role: [
            axis.at(1, float(end(mine.number(name))))
            for end, name in ((np.nanmin, "due"), (np.nanmax, "finished"))
        ]
        for role in ("main", "heavy")
        for mine in [samples.where(samples.text_equals("role", role))]
    }
    first, second = spans
    assert (first[0], second[1]) == tuple(ends["main"])
    assert first[1] < ends["heavy"][0] < ends["heavy"][1] < second[0]
