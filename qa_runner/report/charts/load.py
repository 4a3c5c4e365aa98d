"""An ad-hoc load: responses per second over time, and how response times are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import SUMMARY_COLUMNS, described, log_seconds, summary
from qa_runner.report.charts.palette import BLUE, VERMILION
from qa_runner.report.format import plural
from qa_runner.report.source import StepData, response_seconds, succeeded
from qa_runner.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint"]

_TITLE = "Throughput and response times"
_FEWEST_BINS, _MOST_BINS = 10, 120
_SPREAD_BINS = 60
_LEAST_SPREAD = 1.5
"""How many times the lowest value the highest must be, for a scale that shows something."""


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    samples = data.main()
    if not len(samples):
        (axes,) = stacked(figure, [2.0])
        absent(axes, _TITLE, "no requests were sent")
        return Caption(_TITLE, "No requests were sent.")
    upper, lower = stacked(figure, [1.7, 2.0])
    _throughput(upper, samples, data.attempt.start)
    _spread(lower, samples)
    return Caption(_TITLE, f"{described(samples)}.", SUMMARY_COLUMNS, [summary("all", samples)])


def _throughput(axes: Axes, samples: Table, origin: float) -> None:
    ends = samples.number("finished") - origin
    known = np.isfinite(ends)
    last = float(ends[known].max()) if known.any() else 0.0
    if last <= 0:
        absent(axes, "Requests finished per second", "no request was answered")
        return
    # Of equal width up to the last end, so that no bin is only half of one.
    bins = int(np.clip(last, _FEWEST_BINS, _MOST_BINS))
    edges = np.linspace(0.0, last, bins + 1)
    good = succeeded(samples)
    for mask, colour, label in ((good, BLUE, "success"), (~good, VERMILION, "without success")):
        counts, _ = np.histogram(ends[mask & known], edges)
        if counts.any():
            axes.stairs(counts / edges[1], edges, color=colour, label=label, linewidth=1.2)
            axes.stairs(counts / edges[1], edges, color=colour, alpha=0.25, fill=True)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.25)
    axes.set_xlim(0, last)
    axes.set_ylabel("req/s")
    axes.set_xlabel("time since the load began [s]")
    axes.set_title(f"Requests finished per second, in {plural(bins, 'stretch', 'stretches')}")
    axes.legend(loc="upper right", ncols=2)


def _spread(axes: Axes, samples: Table) -> None:
    title = "How response times are spread"
    seconds = response_seconds(samples)
    known = np.isfinite(seconds) & (seconds > 0)
    if not known.any():
        absent(axes, title, "no request was answered")
        return
    low, high = float(seconds[known].min()), float(seconds[known].max())
    high = max(high, low * _LEAST_SPREAD)
    edges = np.geomspace(low, high, _SPREAD_BINS + 1)
    edges[0], edges[-1] = low, high
    good = succeeded(samples)
    below = np.zeros(_SPREAD_BINS)
    for mask, colour, label in ((good, BLUE, "success"), (~good, VERMILION, "without success")):
        counts, _ = np.histogram(seconds[mask & known], edges)
        if counts.any():
            axes.stairs(below + counts, edges, baseline=below, color=colour, fill=True, label=label)
            below = below + counts
    axes.set_xscale("log")
    log_seconds(axes.xaxis, low, high)
    # A tail of single requests must be seen beside a bin of thousands.
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, float(below.max()) * 2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylabel("requests")
    axes.set_xlabel("response time, from due to finished")
    axes.set_title(f"{title}, both scales logarithmic")
    axes.legend(loc="upper right", ncols=2)
