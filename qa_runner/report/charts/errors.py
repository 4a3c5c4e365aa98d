"""Step 7: the outcome of each request over time, by class."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import response_dots
from qa_runner.report.charts.palette import GREY, OUTCOMES
from qa_runner.report.charts.points import finite, thin
from qa_runner.report.format import quantity
from qa_runner.report.source import StepData
from qa_runner.table import Floats, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint"]

_TITLE = "Outcome of each request"


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    samples = data.main()
    if not len(samples):
        (axes,) = stacked(figure, [2.4])
        absent(axes, _TITLE, "no requests were sent")
        return Caption(_TITLE, "No requests were sent.")
    counts = samples.counts("outcome")
    order = [name for name in OUTCOMES if name in counts]
    order += sorted(set(counts) - set(order))
    lanes, times = stacked(figure, [0.7 + 0.32 * len(order), 2.1], share_x=True)
    origin = data.attempt.start
    _lanes(lanes, samples, order, counts, origin)
    response_dots(times, samples, origin)
    times.set_title("Response time of each request")
    times.set_xlabel("time since the step began [s]")
    total = len(samples)
    rows = [
        [name, f"{counts[name]:,}", quantity(100 * counts[name] / total, "%")] for name in order
    ]
    shares = ", ".join(f"{count} {name} ({share})" for name, count, share in rows)
    return Caption(_TITLE, f"{total:,} requests: {shares}.", ["outcome", "requests", "share"], rows)


def _ends(samples: Table) -> Floats:
    """When each request was over; when it was due, if it never started."""
    finished, due = samples.number("finished"), samples.number("due")
    return np.where(np.isfinite(finished), finished, due)


def _lanes(
    axes: Axes, samples: Table, order: list[str], counts: Counter[str], origin: float
) -> None:
    ends = _ends(samples) - origin
    for row, name in enumerate(order):
        colour, marker = OUTCOMES.get(name, (GREY, "s"))
        mine = samples.text_equals("outcome", name)
        spread = row + 0.25 * np.sin(np.arange(np.count_nonzero(mine)) * 2.4)
        x, y = thin(*finite(ends[mine], spread))
        axes.plot(
            x, y, linestyle="none", marker=marker, markersize=3.5, markeredgewidth=0, color=colour
        )
    axes.set_yticks(range(len(order)), [f"{name} ({counts[name]:,})" for name in order])
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_title(f"{_TITLE}, when it was over")
