"""Which figures a run has, drawn in the document's order."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from qa_runner.report.charts import (
    concurrency,
    database,
    errors,
    inside,
    phases,
    recovery,
    requests,
    resources,
    response_times,
    sustained,
    timeline,
)
from qa_runner.report.charts.canvas import Caption, Drawing, draw
from qa_runner.report.inside import any_told
from qa_runner.report.parallel import run_all
from qa_runner.report.source import Source, StepData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CHARTS", "INSIDE", "TIMELINE", "Drawings", "draw_all", "file_name"]

TIMELINE = "timeline"
INSIDE = "time_inside_the_server"
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


@dataclass(frozen=True)
class Drawings:
    """The figures of a run: two of the whole, and that of each step that ran, by its number."""

    timeline: Drawing
    inside: Drawing | None
    steps: Mapping[int, Drawing]

    def __iter__(self) -> Iterator[Drawing]:
        yield self.timeline
        if self.inside is not None:
            yield self.inside
        yield from self.steps.values()


def draw_all(source: Source) -> Drawings:
    """Draw the timeline, where the response time went, and a figure of each step that ran."""
    steps = dict(_steps(source))
    whole: list[Callable[[], Drawing]] = [partial(draw, TIMELINE, partial(timeline.paint, source))]
    if any_told(source.all_samples):
        whole.append(partial(draw, INSIDE, partial(inside.paint, source)))
    with _without_collection():
        # Those of the whole run take the longest, and so go first.
        drawn = run_all([*whole, *steps.values()])
    told = drawn[1] if len(whole) > 1 else None
    return Drawings(drawn[0], told, dict(zip(steps, drawn[len(whole) :], strict=True)))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Looking for garbage takes a seventh of the drawing, and there are only a few megabytes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _steps(source: Source) -> Iterator[tuple[int, Callable[[], Drawing]]]:
    taken = {TIMELINE, INSIDE}
    for step in source.run.steps:
        data = source.step(step)
        # Without a part there is nothing that a figure could be of.
        if data is None or not data.attempt.parts:
            continue
        name = file_name(step.figure, step.number)
        # Some disks take A and a for the same.
        while name.casefold() in taken:
            name = f"{name}-{step.number}"
        taken.add(name.casefold())
        paint = CHARTS.get(step.chart, requests.paint)
        yield step.number, partial(draw, name, _bind(paint, data))


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
