"""Where the response time went, part by part, and the queries of each request over the run."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.palette import BLUE, OCHRE, PURPLE
from qa_runner.report.charts.points import finite, thin
from qa_runner.report.charts.timeaxis import TimeAxis
from qa_runner.report.charts.timeline import shade_steps
from qa_runner.report.format import number, plural, quantity
from qa_runner.report.inside import COLUMNS, Inside, inside_of_run, remark, row
from qa_runner.report.source import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint"]

_TITLE = "Time inside the server"
_MOST_BARS = 24
_ROW_INCHES = 0.24
_BARS = (
    ("network", OCHRE, "network: connecting, transfer, waiting for a worker"),
    ("application", BLUE, "application"),
    ("database", PURPLE, "database"),
)


def paint(source: Source, figure: Figure) -> Caption:
    """Draw it."""
    parts = inside_of_run(source)
    shown = parts[:_MOST_BARS]
    bars, lower = stacked(figure, [0.75 + _ROW_INCHES * max(len(shown), 3), 1.6])
    _bars(bars, shown)
    counts = _queries(lower, source)
    held = [each for _, each in parts]
    words = [_told(held), remark(held), counts]
    return Caption(
        _TITLE,
        " ".join(word for word in words if word),
        COLUMNS,
        [row(label, each) for label, each in parts],
        f"The figure has the first {_MOST_BARS} parts." if len(parts) > len(shown) else "",
    )


def _told(parts: list[Inside]) -> str:
    """How many responses told what, and how much of their time that was."""
    if not parts:
        return "No judged response told how long the request was inside the server."
    # What is outside the application is known where the time in it is.
    known = {
        "application": any(isfinite(held.network) for held in parts),
        "database": any(isfinite(held.database) for held in parts),
    }
    names = [name for name, told in known.items() if told]
    last = names[-1]
    spent = sum(
        getattr(held, last) * held.requests for held in parts if isfinite(getattr(held, last))
    )
    whole = sum(held.response * held.requests for held in parts)
    where = " and ".join(f"in the {name}" for name in names)
    return (
        f"{plural(sum(held.requests for held in parts), 'response')} told in a Server-Timing "
        f"header how long the request was {where}; {quantity(100 * spent / (whole or 1), '%')} "
        f"of their time was in the {last}."
    )


def _bars(axes: Axes, parts: list[tuple[str, Inside]]) -> None:
    if not parts:
        absent(axes, "Response time", "no judged request told it")
        return
    places = np.arange(len(parts))
    left = np.zeros(len(parts))
    for name, colour, label in _BARS:
        seconds = np.array([getattr(held, name) for _, held in parts])
        if not np.isfinite(seconds).any():
            continue
        shares = np.nan_to_num(
            [100 * getattr(held, name) / (held.response or 1) for _, held in parts]
        )
        axes.barh(places, shares, left=left, height=0.62, color=colour, label=label)
        left += shares
    for place, (_, held) in enumerate(parts):
        axes.annotate(
            quantity(held.response, "s"),
            (100, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.set_yticks(places, [_short(label) for label, _ in parts])
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the response time [%]; at the right its mean")
    axes.grid(visible=False, axis="y")
    axes.set_title("Response time: where it went", pad=20)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.1)


def _short(label: str) -> str:
    return label if len(label) <= 34 else label[:33].rstrip() + "\u2026"  # noqa: PLR2004 (a quarter of the width)


def _queries(axes: Axes, source: Source) -> str:
    axis = TimeAxis(source)
    samples = source.all_samples
    places = axis.place(samples.number("session"), samples.number("due"))
    x, y = finite(places, samples.number("queries"))
    if not y.size:
        absent(axes, "Queries of each request", "the target does not send their number")
        return "The number of queries was not told."
    order = np.argsort(x, kind="stable")
    across, up = thin(x[order], y[order])
    axes.plot(
        across, up, linestyle="none", marker="o", markersize=2.6, markeredgewidth=0, color=PURPLE
    )
    axes.set_ylim(0, float(y.max()) * 1.15 + 1)
    axes.locator_params(axis="y", integer=True)
    axes.set_ylabel("queries")
    axes.set_title("Queries of each request over the run", pad=14)
    shade_steps(axes, source, axis, named=True, characters=90)
    axis.label(axes)
    axes.set_xlabel("time since the session began [min:s]; shaded: steps")
    low, high = number(float(y.min()), 9), number(float(y.max()), 9)
    return f"Queries per request: {low} to {high}, median {number(float(np.median(y)), 4)}."
