"""Step 6: memory and CPU of the server, the load shaded, with the trend and its band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa_runner import estimate
from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import limit_line, load_shade
from qa_runner.report.charts.palette import BLUE, OCHRE, VERMILION
from qa_runner.report.charts.points import finite, scale_bytes, thin
from qa_runner.report.format import quantity
from qa_runner.report.source import SINGLE_ROLES, StepData
from qa_runner.result import PartResult
from qa_runner.table import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint", "restart_times"]

_TITLE = "Memory and CPU of the server"
_LEAST_FOR_A_TREND = 8
_SILENT = "the server's process was not found"


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    memory_axes, cpu_axes = stacked(figure, [2.4, 1.8], share_x=True)
    origin = data.attempt.start
    for axes in (memory_axes, cpu_axes):
        load_shade(axes, data.loads(), origin)
        for part in data.attempt.parts[1:]:
            axes.axvline(part.start - origin, color="#7b828a", linewidth=0.8, linestyle=":")
    memory = _memory(data, memory_axes, origin)
    cpu = _cpu(data, cpu_axes, origin)
    cpu_axes.set_xlabel("time since the step began [s]; shaded: load")
    columns = ["part", "memory first", "memory last", "memory highest", "CPU median", "CPU highest"]
    return Caption(_TITLE, f"{memory} {cpu}", columns, [_row(data, p) for p in data.attempt.parts])


def _column(data: StepData, name: str) -> tuple[Floats, Floats]:
    server = data.series["server"]
    return finite(server.number("time"), server.number(name))


def restart_times(data: StepData) -> Floats:
    """When a process of the server ended, as the monitor saw it."""
    x, y = _column(data, "restarts")
    return x[1:][np.diff(y) > 0]


def _memory(data: StepData, axes: Axes, origin: float) -> str:
    x, y = _column(data, "rss_bytes")
    if not x.size:
        absent(axes, "Memory", _SILENT)
        return "Memory was not measured."
    factor, unit = scale_bytes(float(y.max()))
    across, up = thin(x, y)
    axes.plot(across - origin, up * factor, color=BLUE, label="resident memory (RSS)")
    for part in data.attempt.parts:
        _trend(axes, part, (x, y), origin, factor, named=part is data.attempt.parts[0])
    for index, when in enumerate(restart_times(data)):
        label = None if index else "process ended"
        axes.axvline(when - origin, color=VERMILION, label=label)
    low, high = float(y.min()) * factor, float(y.max()) * factor
    room = max(high - low, 0.02 * high) or 1.0
    axes.set_ylim(low - 0.25 * room, high + 0.45 * room)
    axes.set_title("Resident memory of the server's processes")
    axes.set_ylabel(f"RSS [{unit}]")
    axes.legend(loc="upper left", ncols=3)
    first, last, change = (quantity(float(v), "bytes") for v in (y[0], y[-1], y[-1] - y[0]))
    return f"Memory over the whole step: from {first} to {last}, a change of {change}."


def _trend(
    axes: Axes,
    part: PartResult,
    points: tuple[Floats, Floats],
    origin: float,
    factor: float,
    *,
    named: bool,
) -> None:
    """The robust line over the last two thirds of a part's load, with the slope's 95 % band."""
    loads = [load for load in part.loads if load.role not in SINGLE_ROLES]
    if not loads:
        return
    begin, end = min(load.start for load in loads), max(load.end for load in loads)
    x, y = points
    kept = (x >= begin + (end - begin) / 3) & (x <= end)
    if np.count_nonzero(kept) < _LEAST_FOR_A_TREND:
        return
    x, y = x[kept], y[kept]
    slope, intercept, low, high = estimate.theil_sen(x, y)
    ends = np.array([x[0], x[-1]])
    middle = (intercept + slope * ends) * factor
    centre, pivot = float(np.median(x)), intercept + slope * float(np.median(x))
    lower, upper = ((pivot + bound * (ends - centre)) * factor for bound in (low, high))
    label = "trend of the last two thirds, 95 % band" if named else None
    axes.plot(ends - origin, middle, color=OCHRE, linestyle="--", label=label)
    axes.fill_between(ends - origin, lower, upper, color=OCHRE, alpha=0.2, linewidth=0)


def _cpu(data: StepData, axes: Axes, origin: float) -> str:
    x, y = _column(data, "cpu_percent")
    if not x.size:
        absent(axes, "CPU", _SILENT)
        return "CPU was not measured."
    across, up = thin(x, y)
    axes.plot(across - origin, up, color=OCHRE, linewidth=1.0)
    axes.set_ylim(0, max(float(y.max()) * 1.15, 20))
    limit = data.limit("server_cpu")
    limit_line(axes, limit, 1.0, f"limit {quantity(limit, '%')}")
    axes.set_title("CPU of the server over its worker processes (100 % = one core each)")
    axes.set_ylabel("CPU [%]")
    return f"CPU: median {quantity(float(np.median(y)), '%')}, max {quantity(float(y.max()), '%')}."


def _row(data: StepData, part: PartResult) -> list[str]:
    cells = [f"{part.id} {part.title}"]
    for name, unit in (("rss_bytes", "bytes"), ("cpu_percent", "%")):
        x, y = _column(data, name)
        mine = y[(x >= part.start) & (x <= part.end)]
        if not mine.size:
            cells += ["\u2013"] * (3 if unit == "bytes" else 2)
        elif unit == "bytes":
            cells += [quantity(float(value), unit) for value in (mine[0], mine[-1], mine.max())]
        else:
            cells += [quantity(float(value), unit) for value in (np.median(mine), mine.max())]
    return cells
