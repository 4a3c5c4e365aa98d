"""Step 2: response time by request, with mean, limit and drift line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa_runner import estimate
from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import (
    SUMMARY_COLUMNS,
    described,
    limit_line,
    outcome_dots,
    summary,
)
from qa_runner.report.charts.palette import GREEN, OCHRE
from qa_runner.report.charts.points import finite, scale_seconds
from qa_runner.report.format import quantity
from qa_runner.report.source import StepData, answered_seconds, response_seconds
from qa_runner.result import PartResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint"]

_TITLE = "Response time by request"
_MOST_PANELS = 6


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw one panel for each part."""
    parts = data.parts_with_samples()
    if not parts:
        (axes,) = stacked(figure, [2.4])
        absent(axes, _TITLE, "no requests were sent")
        return Caption(_TITLE, "No requests were sent.")
    drawn = parts[:_MOST_PANELS]
    panels = stacked(figure, [2.1] * len(drawn))
    rows, drifts = [], []
    for part, axes in zip(drawn, panels, strict=True):
        drift = _panel(data, part, axes)
        drifts.append(f"{part.id} {drift}")
        rows.append([*summary(f"{part.id} {part.title}", data.main(part.id)), drift])
    return Caption(
        _TITLE,
        f"{described(data.main())}. Drift from the first to the last request: {', '.join(drifts)}.",
        [*SUMMARY_COLUMNS, "drift"],
        rows,
        "" if drawn == parts else f"The first {len(drawn)} of {len(parts)} parts.",
    )


def _panel(data: StepData, part: PartResult, axes: Axes) -> str:
    samples = data.main(part.id)
    numbers, seconds = np.arange(1.0, len(samples) + 1), response_seconds(samples)
    x, y = finite(numbers, answered_seconds(samples))
    if not y.size:
        absent(axes, f"{part.id} {part.title}", "no request was answered")
        return "\u2013"
    factor, unit = scale_seconds(float(y.max()))
    outcome_dots(axes, numbers, seconds * factor, samples)
    mean = float(y.mean())
    axes.axhline(mean * factor, color=GREEN, label=f"mean {quantity(mean, 's')}")
    drift = "\u2013"
    if y.size > 1:
        slope, intercept, _, _ = estimate.theil_sen(x, y)
        ends = np.array([1.0, len(samples)])
        drift = quantity(slope * len(samples), "s")
        line = (intercept + slope * ends) * factor
        axes.plot(ends, line, color=OCHRE, linestyle="--", label=f"drift {drift}")
    axes.set_ylim(0, float(y.max()) * factor * 1.3)
    limit = data.limit("response_time", part=part.id)
    limit_line(axes, limit, factor, f"limit {quantity(limit, 's')}")
    axes.set_title(f"{part.id} {part.title}")
    axes.set_xlabel("request")
    axes.locator_params(axis="x", integer=True)
    axes.set_ylabel(f"response time [{unit}]")
    axes.legend(loc="upper left", ncols=5, borderaxespad=0.1)
    return drift
