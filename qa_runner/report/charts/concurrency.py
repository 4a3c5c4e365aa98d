"""Step 3: distributions by concurrency, each request of the bursts as a bar, the staircase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import (
    SUMMARY_COLUMNS,
    described,
    log_seconds,
    summary,
    user_count,
)
from qa_runner.report.charts.palette import BLUE, GREEN, GREY, INK, OCHRE, VERMILION
from qa_runner.report.charts.points import as_number, thin
from qa_runner.report.format import cell, plural, quantity
from qa_runner.report.source import StepData, answered_seconds, succeeded
from qa_runner.result import PartResult
from qa_runner.table import Floats, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint", "stored_stairs"]

_TITLE = "Response time by concurrency"
_MOST_BARS = 100
_MOST_TICKS = 3
_PHASES = (
    ("waiting to start", "due", "started", GREY),
    ("connecting", "started", "connected", OCHRE),
    ("first byte", "connected", "first_byte", GREEN),
    ("transfer", "first_byte", "finished", BLUE),
)


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    groups = _groups(data)
    if not groups:
        (axes,) = stacked(figure, [2.4])
        absent(axes, _TITLE, "no requests were sent")
        return Caption(_TITLE, "No requests were sent.")
    steps = stored_stairs(data)
    bursts = [part for part in data.parts_with_samples() if _is_burst(data.main(part.id))]
    heights = [0.7 + 0.3 * len(groups)]
    heights += [min(0.9 + 0.024 * len(data.main(part.id)), 2.2) for part in bursts]
    panels = stacked(figure, [*heights, *([1.9] if steps else [])])
    _distributions(panels[0], groups)
    for part, panel in zip(bursts, panels[1:], strict=False):
        _timeline(panel, part, data.main(part.id), legend=part is bursts[0])
    knee = _staircase(panels[-1], steps) if steps else _no_stairs(data)
    return Caption(
        _TITLE,
        f"{described(data.main())}.{knee}",
        SUMMARY_COLUMNS,
        [summary(label, table) for label, table in groups],
    )


def _no_stairs(data: StepData) -> str:
    """Why there is no chart of the capacity, where the part that asks for it has run."""
    if not any(user_count(tag) for tag in data.main().distinct("tag")):
        return ""
    return " The capacity is not drawn: this attempt stored no table of its stairs."


def _groups(data: StepData) -> list[tuple[str, Table]]:
    found = []
    for part in data.parts_with_samples():
        samples = data.main(part.id)
        users = sorted({count for tag in samples.distinct("tag") if (count := user_count(tag))})
        if not users:
            found.append((f"{part.id}: {plural(len(samples), 'request')}", samples))
        for count in users:
            stair = samples.where(samples.text_equals("tag", f"users:{count}"))
            found.append((f"{part.id}: {plural(count, 'user')}", stair))
    return found


def _is_burst(samples: Table) -> bool:
    return len(samples) <= _MOST_BARS and not any(
        user_count(tag) for tag in samples.distinct("tag")
    )


def _distributions(axes: Axes, groups: list[tuple[str, Table]]) -> None:
    for row, (name, samples) in enumerate(groups):
        seconds = answered_seconds(samples)
        answered = np.sort(seconds[np.isfinite(seconds) & (seconds > 0)])
        if not answered.size:
            continue
        x, _ = thin(answered, answered, 300)
        # A fixed scatter: the same data gives the same picture.
        lane = row + 0.28 * np.sin(np.arange(x.size) * 2.4)
        axes.plot(
            x,
            lane,
            linestyle="none",
            marker="o",
            markersize=2.4,
            color=BLUE,
            alpha=0.55,
            label=name,
        )
        low, middle, high = np.percentile(answered, [25, 50, 95])
        axes.plot([low, high], [row, row], color=INK, linewidth=1.2, label=f"{name}, p(25), p(95)")
        axes.plot(middle, row, marker="D", color=INK, markersize=4.5, label=f"{name}, median")
        axes.plot(
            high,
            row,
            marker="|",
            color=VERMILION,
            markersize=13,
            markeredgewidth=2,
            label=f"{name}, p(95)",
        )
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    log_seconds(axes.xaxis, low, high)
    axes.set_yticks(range(len(groups)), [label for label, _ in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_title("Response times: each request, median (diamond), p(25) to p(95) (line)")
    axes.grid(visible=False, axis="y")


def _timeline(axes: Axes, part: PartResult, samples: Table, *, legend: bool) -> None:
    due = samples.number("due")
    order = np.argsort(due, kind="stable")
    origin = float(np.nanmin(due)) if np.isfinite(due).any() else 0.0
    rows = np.arange(order.size)
    for name, start, end, colour in _PHASES:
        begin, stop = samples.number(start)[order] - origin, samples.number(end)[order] - origin
        kept = np.isfinite(begin) & np.isfinite(stop)
        axes.hlines(
            rows[kept],
            begin[kept],
            stop[kept],
            color=colour,
            linewidth=_thickness(rows),
            label=name,
        )
    failed = ~succeeded(samples)[order]
    end_times = _last_times(samples)[order] - origin
    axes.plot(
        end_times[failed],
        rows[failed],
        linestyle="none",
        marker="X",
        color=VERMILION,
        markersize=4.5,
        markeredgewidth=0,
        label="without success" if failed.any() else None,
    )
    axes.set_title(f"{part.id} {part.title}")
    axes.set_xlabel("time since the first was due [s]; from due to finished")
    axes.set_ylabel("request")
    ticked = rows[:: max(-(-order.size // _MOST_TICKS), 1)]
    axes.set_yticks(ticked, ticked + 1)
    axes.set_ylim(order.size - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    if legend:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=5, fontsize=7.5, columnspacing=1.2
        )


def _thickness(rows: np.ndarray[tuple[int], np.dtype[np.int_]]) -> float:
    """In points: somewhat less than a row is high, so that the requests stay apart."""
    return 0.6 * min(18.0 / max(rows.size, 1) + 1.8, 8.0)


def _last_times(samples: Table) -> Floats:
    last = samples.number("due").copy()
    for column in ("started", "connected", "first_byte", "finished"):
        values = samples.number(column)
        last = np.where(np.isfinite(values), values, last)
    return last


@dataclass(frozen=True)
class _Stairs:
    """The stairs as they were judged; ``knee`` is the index of the one that was named so."""

    users: list[str]
    rates: Floats
    highs: Floats
    knee: int | None


def stored_stairs(data: StepData) -> _Stairs | None:
    """From the table that the attempt stored, so that page and table name the same knee.

    None if it stored none.
    """
    rows = data.stored("stairs")
    rates = np.array([as_number(row.get("req/s")) for row in rows])
    if not np.isfinite(rates).any():
        return None
    return _Stairs(
        users=[cell(row.get("users")) for row in rows],
        rates=rates,
        highs=np.array([as_number(row.get("p95 s")) for row in rows]),
        knee=next((index for index, row in enumerate(rows) if row.get("knee")), None),
    )


def _staircase(axes: Axes, held: _Stairs) -> str:
    places = np.arange(len(held.users))
    axes.plot(places, held.rates, marker="o", color=BLUE, label="throughput")
    axes.set_xticks(places, held.users)
    axes.set_ylabel("successes per second")
    axes.set_xlabel("virtual users")
    peak = float(np.nanmax(held.rates))
    axes.set_ylim(0, (peak or 1) * 1.35)
    if np.isfinite(held.highs).any():
        beside = axes.twinx()
        beside.plot(places, held.highs, marker="s", color=OCHRE, ls="--", label="p(95)")
        beside.set_ylabel("p(95) [s]")
        beside.set_ylim(0, (float(np.nanmax(held.highs)) or 1) * 1.35)
        beside.spines["right"].set_visible(True)
        beside.grid(visible=False)
    axes.set_title("Capacity: throughput (line) and response time p(95) (dashed)")
    said = f" Peak throughput {quantity(peak, 'req/s')}"
    if held.knee is None:
        return f"{said}; no knee up to {held.users[-1]} virtual users."
    users = f"{held.users[held.knee]} virtual user{'' if held.users[held.knee] == '1' else 's'}"
    axes.axvline(held.knee, color=GREEN, linestyle=":", linewidth=1.5)
    axes.annotate(
        f"knee: {users}",
        (held.knee, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if held.knee else 5, -4),
        ha="right" if held.knee else "left",
        va="top",
        textcoords="offset points",
        fontsize=8,
    )
    high = quantity(float(held.highs[held.knee]), "s")
    return f"{said}; the knee is at {users}, with p(95) {high}."
