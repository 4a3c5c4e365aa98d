"""Marks that several charts share: limits, load, outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.palette import GREY, INK, OUTCOMES, VERMILION
from qa_runner.report.charts.points import scale_seconds, thin
from qa_runner.report.format import number, plural, quantity
from qa_runner.report.source import SINGLE_ROLES, answered_seconds, response_seconds
from qa_runner.result import LoadResult
from qa_runner.table import Floats, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

__all__ = [
    "SUMMARY_COLUMNS",
    "described",
    "limit_line",
    "load_shade",
    "log_seconds",
    "outcome_dots",
    "response_dots",
    "summary",
    "user_count",
]

_OFF_THE_SCALE = 4.0
_WIDE = 50.0
SUMMARY_COLUMNS = ["", "requests", "answered", "mean", "median", "p(95)", "max", "std. dev."]


def limit_line(axes: Axes, limit: float | None, factor: float, text: str) -> None:
    """A dashed line at a limit (base unit), or a word if it is far above what is drawn."""
    if limit is None:
        return
    top = axes.get_ylim()[1]
    if limit * factor > top * _OFF_THE_SCALE:
        axes.text(
            1, 1.01, f"{text} (above the chart)", transform=axes.transAxes, ha="right", fontsize=8
        )
        return
    axes.axhline(limit * factor, color=VERMILION, linestyle=(0, (5, 3)), linewidth=1.1)
    # With room above it for the legend.
    axes.set_ylim(top=max(top, limit * factor * 1.3))
    axes.annotate(
        text,
        (1, limit * factor),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=INK,
    )


def load_shade(axes: Axes, loads: Iterable[LoadResult], origin: float) -> None:
    """Shade the time in which load was sent; x is seconds since ``origin``."""
    for load in loads:
        if load.role not in SINGLE_ROLES:
            axes.axvspan(load.start - origin, load.end - origin, color=GREY, alpha=0.14, lw=0)


def outcome_dots(axes: Axes, x: Floats, y: Floats, samples: Table) -> None:
    """A point for each of the samples, its colour and form by outcome."""
    for outcome in sorted(samples.distinct("outcome"), key=_rank):
        colour, marker = OUTCOMES.get(outcome, (GREY, "s"))
        mine = samples.text_equals("outcome", outcome)
        drawn = mine & np.isfinite(x) & np.isfinite(y)
        across, up = thin(x[drawn], y[drawn])
        if across.size:
            axes.plot(
                across,
                up,
                linestyle="none",
                marker=marker,
                color=colour,
                markersize=3.2 if marker == "o" else 4.5,
                markeredgewidth=0,
                label=f"{outcome} ({np.count_nonzero(mine):,})",
            )


def _rank(outcome: str) -> int:
    known = list(OUTCOMES)
    return known.index(outcome) if outcome in known else len(known)


def response_dots(axes: Axes, samples: Table, origin: float) -> tuple[float, str]:
    """Response time over the time due, by outcome; returns the factor and unit of the y axis."""
    # Of a million requests each column is 8 MB, so that they are not kept longer than needed.
    times, since = response_seconds(samples), samples.number("due") - origin
    known = np.isfinite(times) & np.isfinite(since)
    factor, unit = scale_seconds(float(np.max(times, initial=0.0, where=known)))
    times *= factor
    outcome_dots(axes, since, times, samples)
    axes.set_ylabel(f"response time [{unit}]")
    axes.set_ylim(bottom=0)
    if known.any():
        axes.legend(loc="upper left", ncols=4, bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
        axes.set_ylim(top=axes.get_ylim()[1] * 1.18)
    return factor, unit


def log_seconds(axis: Axis, low: float, high: float) -> None:
    """A logarithmic axis of seconds from ``low`` to ``high``, its labels with their unit."""
    from matplotlib.ticker import LogLocator, NullLocator  # noqa: PLC0415 (heavy)

    wide = high > low * _WIDE
    axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=9))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: quantity(float(value), "s"))


def user_count(tag: str) -> int | None:
    """The virtual users of a stair, from its tag "users:10"."""
    count = tag.removeprefix("users:")
    return int(count) if count != tag and count.isdecimal() and count.isascii() else None


def summary(label: str, samples: Table) -> list[str]:
    """A row of the table beneath a figure: how many, and their response times."""
    seconds = answered_seconds(samples)
    seconds = seconds[np.isfinite(seconds)]
    row = [label, number(len(samples), 9), number(seconds.size, 9)]
    if not seconds.size:
        return [*row, *["\u2013"] * 5]
    found = (
        seconds.mean(),
        *np.percentile(seconds, [50, 95]),
        seconds.max(),
        seconds.std(),
    )
    return [*row, *(quantity(float(value), "s") for value in found)]


def described(samples: Table) -> str:
    """In words: "70 requests, median 23 ms, p(95) 88 ms, max 0.4 s"."""
    row = summary("", samples)
    return f"{plural(len(samples), 'request')}, median {row[4]}, p(95) {row[5]}, max {row[6]}"
