"""Step 4: response time over time, due against started, and the percentile curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import (
    SUMMARY_COLUMNS,
    described,
    limit_line,
    response_dots,
    summary,
)
from qa_runner.report.charts.palette import BLUE, OCHRE
from qa_runner.report.charts.points import finite, scale_seconds, thin
from qa_runner.report.charts.readout import share
from qa_runner.report.format import quantity
from qa_runner.report.source import StepData, answered, answered_seconds
from qa_runner.table import Floats, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint"]

_TITLE = "Response time under sustained load"
_MARKS = (50, 75, 90, 95, 99, 99.9)


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    samples = data.main()
    if not len(samples):
        (axes,) = stacked(figure, [2.4])
        absent(axes, _TITLE, "no requests were sent")
        return Caption(_TITLE, "No requests were sent.")
    upper, lower = stacked(figure, [2.5, 2.0])
    _over_time(data, upper, samples)
    _percentiles(lower, samples)
    rows = [summary(part.id, data.main(part.id)) for part in data.parts_with_samples()]
    return Caption(_TITLE, f"{described(samples)}.", SUMMARY_COLUMNS, rows)


def _service_seconds(samples: Table) -> Floats:
    return samples.number("finished") - samples.number("started")


def _over_time(data: StepData, axes: Axes, samples: Table) -> None:
    origin = data.attempt.start
    factor, _ = response_dots(axes, samples, origin)
    x, y = thin(*finite(samples.number("started") - origin, _service_seconds(samples) * factor))
    order = np.argsort(x, kind="stable")
    axes.plot(x[order], y[order], color=OCHRE, linewidth=0.9, label="service time")
    axes.legend(loc="upper left", ncols=5, borderaxespad=0.2)
    limit = data.limit("response_time", "p(95)")
    limit_line(axes, limit, factor, f"limit of p(95) {quantity(limit, 's')}")
    axes.set_title("Response time from the due time (points), service time from the start (line)")
    axes.set_xlabel("time since the step began [s]")


def _percentiles(axes: Axes, samples: Table) -> None:
    response = _ordered(answered_seconds(samples))
    if not response.size:
        absent(axes, "Percentiles", "no request was answered")
        return
    factor, unit = scale_seconds(float(response[-1]))
    most = -np.log10(0.5 / response.size)
    _curve(axes, response, factor, color=BLUE, linestyle="-", label="response time (from due)")
    # Of a million requests each column is 8 MB: one after the other.
    del response
    service = _ordered(np.where(answered(samples), _service_seconds(samples), np.nan))
    _curve(axes, service, factor, color=OCHRE, linestyle="--", label="service time (from started)")
    marks = [mark for mark in _MARKS if -np.log10(1 - mark / 100) <= most]
    axes.set_xticks([-np.log10(1 - mark / 100) for mark in marks], [f"p({m:g})" for m in marks])
    axes.set_xlim(0, most)
    share(axes.xaxis)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"time [{unit}]")
    axes.set_title("Percentiles, on a logarithmic scale of the share above")
    axes.legend(loc="lower right")


def _ordered(seconds: Floats) -> Floats:
    return np.sort(seconds[np.isfinite(seconds)])


def _curve(axes: Axes, ordered: Floats, factor: float, **style: str) -> None:
    # The share above each value, in halves of one: the last one is not at zero.
    above = np.arange(ordered.size, 0.0, -1.0)
    above -= 0.5
    above /= max(ordered.size, 1)
    np.log10(above, out=above)
    np.negative(above, out=above)
    x, y = thin(above, ordered * factor, 500)
    axes.plot(x, y, **style)  # type: ignore[arg-type]
