"""The run at a glance: stacked charts over one time axis, the steps shaded and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.attempts_table import COLUMNS, by_attempt
from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.events import events, mark_events, name_events, told
from qa_runner.report.charts.marks import log_seconds, outcome_dots
from qa_runner.report.charts.palette import BLUE, GREEN, GREY, INK, OCHRE, PURPLE, VERMILION
from qa_runner.report.charts.points import finite, scale_bytes, thin
from qa_runner.report.charts.timeaxis import TimeAxis
from qa_runner.report.format import plural
from qa_runner.report.source import Source, response_seconds, succeeded
from qa_runner.table import Floats, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint", "shade_steps"]

_TITLE = "The run at a glance"
_MOST_BINS = 600


def paint(source: Source, figure: Figure) -> Caption:
    """Draw it."""
    axis = TimeAxis(source)
    panels = stacked(figure, [1.5, 1.5, 1.3, 1.3], share_x=True)
    _throughput(panels[0], source, axis)
    _responses(panels[1], source, axis)
    _resources(panels[2], source, axis)
    _database(panels[3], source, axis)
    marked = events(source, axis)
    for panel in panels:
        shade_steps(panel, source, axis, named=panel is panels[0])
        mark_events(panel, marked)
        panel.set_title(
            panel.get_title(loc="left"), loc="left", pad=14 if panel is panels[0] else 4
        )
    name_events(panels[3], marked, axis)
    axis.label(panels[-1])
    panels[-1].set_xlabel("time since the session began [min:s]; shaded: steps")
    samples = source.all_samples
    failed = int(np.count_nonzero(~succeeded(samples)))
    rows = by_attempt(source)
    return Caption(
        _TITLE,
        f"{plural(len(samples), 'request')} in {plural(len(rows), 'attempt')} of the steps, "
        f"{failed:,} of them without success.{told(marked)}",
        COLUMNS,
        rows,
    )


def _ends(samples: Table, axis: TimeAxis) -> Floats:
    finished, due = samples.number("finished"), samples.number("due")
    times = np.where(np.isfinite(finished), finished, due)
    return axis.place(samples.number("session"), times)


def _throughput(axes: Axes, source: Source, axis: TimeAxis) -> None:
    samples = source.all_samples
    ends = _ends(samples, axis)
    if not np.isfinite(ends).any():
        absent(axes, "Requests per second", "no requests were sent")
        return
    width = max(1.0, axis.end / _MOST_BINS)
    edges = np.arange(0, axis.end + width, width)
    good = succeeded(samples)
    for mask, colour, label in ((good, BLUE, "success"), (~good, VERMILION, "without success")):
        counts, _ = np.histogram(ends[mask & np.isfinite(ends)], edges)
        # With the end of the last stretch, which a step from its beginning would not reach.
        rate = np.append(counts, counts[-1]) / width
        if counts.any():
            axes.fill_between(edges, rate, step="post", color=colour, alpha=0.3, linewidth=0)
            axes.step(edges, rate, where="post", color=colour, linewidth=1, label=label)
    axes.set_ylabel("req/s")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.25)
    axes.set_title("Requests finished per second")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.1), borderaxespad=0, ncols=2)


def _responses(axes: Axes, source: Source, axis: TimeAxis) -> None:
    samples = source.all_samples
    seconds = response_seconds(samples)
    places = axis.place(samples.number("session"), samples.number("due"))
    seconds[seconds <= 0] = np.nan
    _, y = finite(places, seconds)
    if not y.size:
        absent(axes, "Response time", "no requests were answered")
        return
    outcome_dots(axes, places, seconds, samples)
    axes.set_yscale("log")
    limits = _limits(axes, source, axis)
    low, high = float(y.min()), max(float(y.max()), *limits, 0.0)
    log_seconds(axes.yaxis, low, high)
    axes.set_ylim(low / 1.5, high * max(2.0, (high / low) ** 0.3))
    named = "; dashed: the limits" if limits else ""
    axes.set_title(f"Response times, on a logarithmic scale{named}")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1, ncols=4)


def _limits(axes: Axes, source: Source, axis: TimeAxis) -> list[float]:
    """Draw the first limit of each step's response times over those judged by it; in seconds."""
    found = []
    for step in source.run.steps:
        data = source.step(step)
        limit = data.limit("response_time") if data else None
        if data is None or limit is None or limit <= 0:
            continue
        # Not over the load that comes before them: its response times are another matter.
        judged = data.main()
        times = np.concatenate([judged.number("due"), judged.number("finished")])
        if not np.isfinite(times).any():
            continue
        edges = float(np.nanmin(times)), float(np.nanmax(times))
        start, end = (axis.at(data.attempt.session, seconds) for seconds in edges)
        axes.hlines(limit, start, end, color=VERMILION, linestyle=(0, (4, 2)), linewidth=1.3)
        found.append(limit)
    return found


def _resources(axes: Axes, source: Source, axis: TimeAxis) -> None:
    server = source.series["server"]
    cpu_x, cpu_y = axis.line(server, server.number("cpu_percent"))
    memory_x, memory_y = axis.line(server, server.number("rss_bytes"))
    if not np.isfinite(cpu_y).any() and not np.isfinite(memory_y).any():
        absent(axes, "Server CPU and memory", "the server's process was not found")
        return
    axes.plot(*_thinned(cpu_x, cpu_y), color=OCHRE, linewidth=0.9, label="CPU")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("CPU [%]")
    beside = axes.twinx()
    known = memory_y[np.isfinite(memory_y)]
    factor, unit = scale_bytes(float(known.max()) if known.size else 0.0)
    beside.plot(*_thinned(memory_x, memory_y * factor), color=BLUE, ls="--", label="memory")
    beside.set_ylabel(f"RSS [{unit}]")
    beside.spines["right"].set_visible(True)
    beside.grid(visible=False)
    if known.size:
        room = max(float(np.ptp(known)), 0.05 * float(known.max())) * factor
        low = max(known.min() * factor - room / 4, 0.0)
        beside.set_ylim(low, known.max() * factor + room / 2)
    axes.set_title("Server: CPU (solid) and resident memory (dashed)")


def _database(axes: Axes, source: Source, axis: TimeAxis) -> None:
    database, server, log = (source.series[name] for name in ("database", "server", "log"))
    rows_x, rows_y = axis.line(database, database.number("transactions_added"))
    open_x, open_y = axis.line(database, database.number("connections"))
    if not np.isfinite(open_y).any():
        open_x, open_y = axis.line(server, server.number("database_handles"))
    if not np.isfinite(rows_y).any() and not np.isfinite(open_y).any():
        absent(axes, "Database", "no probe was connected to the database")
        return
    line = _thinned(rows_x, rows_y)
    axes.plot(*line, drawstyle="steps-post", color=PURPLE, label="transactions added")
    axes.set_ylabel("rows added")
    axes.set_ylim(bottom=0)
    beside = axes.twinx()
    line = _thinned(open_x, open_y)
    beside.plot(*line, color=GREEN, ls="--", linewidth=0.9, label="open connections")
    beside.set_ylabel("connections")
    waiting_x, waiting_y = axis.line(database, database.number("sessions_waiting"))
    waits = bool(np.nan_to_num(waiting_y).any())
    if waits:
        line = _thinned(waiting_x, waiting_y)
        beside.plot(*line, color=VERMILION, ls=":", label="sessions waiting for a lock")
    beside.set_ylim(bottom=0)
    beside.spines["right"].set_visible(True)
    beside.grid(visible=False)
    locks = log.where(log.text_equals("kind", "lock"))
    if len(locks):
        x = axis.place(locks.number("session"), locks.number("time"))
        x, y = thin(*finite(x, np.full(len(locks), 0.06)), 500)
        axes.plot(
            x,
            y,
            linestyle="none",
            marker="X",
            color=VERMILION,
            markeredgewidth=0,
            transform=axes.get_xaxis_transform(),
        )
    named = f", {plural(len(locks), 'lock error')} (crosses)" if len(locks) else ""
    if waits:
        named = f", sessions waiting for a lock (dotted){named}"
    axes.set_title(f"Database: transactions added (solid), open connections (dashed){named}")


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A broken line with fewer points: the breaks stay."""
    if x.size <= _MOST_BINS * 3:
        return x, y
    breaks = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    xs: list[Floats] = []
    ys: list[Floats] = []
    start = 0
    for stop in (*breaks.tolist(), x.size):
        if stop > start:
            across, up = thin(x[start:stop], y[start:stop], _MOST_BINS * 2)
            xs += [across, np.array([np.nan])]
            ys += [up, np.array([np.nan])]
        start = stop + 1
    return np.concatenate(xs), np.concatenate(ys)


def shade_steps(
    axes: Axes, source: Source, axis: TimeAxis, *, named: bool, characters: int = 130
) -> None:
    """Shade every other step more, and write their names above if they are to be ``named``; so
    many ``characters`` fit in the width.
    """
    for step in source.run.steps:
        for attempt in step.attempts:
            limits = attempt.start, source.end(attempt)
            start, end = (axis.at(attempt.session, seconds) for seconds in limits)
            if not np.isfinite([start, end]).all():
                continue
            axes.axvspan(start, end, color=GREY, alpha=0.16 if step.number % 2 else 0.06, lw=0)
            if named:
                axes.text(
                    (start + end) / 2,
                    1.01,
                    _step_name(step.number, step.title, (end - start) / axis.end * characters),
                    transform=axes.get_xaxis_transform(),
                    ha="center",
                    va="bottom",
                    fontsize=8,
                    color=INK,
                )


def _step_name(number: int, title: str, characters: float) -> str:
    """The number, with as much of the title as there is room for."""
    room = int(characters) - 3
    if room >= len(title):
        return f"{number} {title}"
    first = title.split(" ", maxsplit=1)[0]
    return f"{number} {first}" if len(first) <= room else str(number)
