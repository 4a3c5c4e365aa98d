"""Which figures a run has, drawn in the document's order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from qa_runner.report.charts import (
    concurrency,
    database,
    errors,
    phases,
    recovery,
    requests,
    resources,
    response_times,
    sustained,
    timeline,
)
from qa_runner.report.charts.canvas import Caption, Drawing, draw
from qa_runner.report.source import Source, StepData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CHARTS", "TIMELINE", "draw_all", "file_name"]

TIMELINE = "timeline"
_MOST_ROWS = 50

CHARTS: Mapping[str, Callable[[StepData, Figure], Caption]] = MappingProxyType(
    {
        "phases": phases.paint,
        "response_times": response_times.paint,
        "concurrency": concurrency.paint,
        "sustained": sustained.paint,
        "database": database.paint,
        "resources": resources.paint,
        "errors": errors.paint,
        "recovery": recovery.paint,
        "requests": requests.paint,
    }
)
"""By :attr:`StepResult.chart`; any other name draws ``requests``."""


def file_name(figure: str, number: int) -> str:
    """The PNG's name without its ending; what could leave the folder is replaced."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", figure)[:80].strip("_") or f"step-{number}"


def draw_all(source: Source) -> tuple[Drawing, dict[int, Drawing]]:
    """The timeline, and the figure of each step of which a part ran, by its number."""
    glance = draw(TIMELINE, lambda figure: timeline.paint(source, figure))
    drawn: dict[int, Drawing] = {}
    taken = {TIMELINE}
    for step in source.run.steps:
        data = source.step(step)
        # Without a part there is nothing that a figure could be of.
        if data is None or not data.attempt.parts:
            continue
        name = file_name(step.figure, step.number)
        if name in taken:
            name = f"{name}-{step.number}"
        taken.add(name)
        paint = CHARTS.get(step.chart, requests.paint)
        drawn[step.number] = draw(name, _bind(paint, data))
    return glance, drawn


def _bind(
    paint: Callable[[StepData, Figure], Caption], data: StepData
) -> Callable[[Figure], Caption]:
    def bound(figure: Figure) -> Caption:
        caption = paint(data, figure)
        if len(caption.rows) <= _MOST_ROWS:
            return caption
        note = f"The first {_MOST_ROWS} of {len(caption.rows)} rows."
        return Caption(
            caption.title, caption.description, caption.columns, caption.rows[:_MOST_ROWS], note
        )

    return bound
