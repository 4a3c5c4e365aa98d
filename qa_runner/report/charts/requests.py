"""Response time of each request by outcome, for steps without a chart of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import (
    SUMMARY_COLUMNS,
    described,
    limit_line,
    response_dots,
    summary,
)
from qa_runner.report.format import quantity
from qa_runner.report.source import StepData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["paint"]


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    (axes,) = stacked(figure, [2.9])
    samples = data.main()
    if not len(samples):
        absent(axes, data.step.title, "no requests were sent")
        return Caption(data.step.title, "No requests were sent.")
    factor, _ = response_dots(axes, samples, data.attempt.start)
    limit = data.limit("response_time")
    limit_line(axes, limit, factor, f"limit {quantity(limit, 's')}")
    axes.set_title("Response time of each request")
    axes.set_xlabel("time since the step began [s]")
    rows = [summary(part.id, data.main(part.id)) for part in data.parts_with_samples()]
    return Caption("Response time of each request", f"{described(samples)}.", SUMMARY_COLUMNS, rows)
