"""Step 1: the phases of one request, as a waterfall."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.palette import BLUE, GREEN, GREY, OCHRE, PURPLE, VERMILION
from qa_runner.report.charts.points import scale_seconds
from qa_runner.report.format import quantity
from qa_runner.report.source import StepData
from qa_runner.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint"]

_TITLE = "Phases of one request"
_PHASES = (
    ("waited for its turn", "due", "started", GREY),
    ("name looked up", "started", "resolved", PURPLE),
    ("connected", "resolved", "connected", OCHRE),
    ("TLS handshake", "connected", "secured", VERMILION),
    ("request sent", "secured", "sent", BLUE),
    ("waited for first byte", "sent", "first_byte", GREEN),
    ("response transferred", "first_byte", "finished", BLUE),
)
Phase = tuple[str, float, float, str]


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    (axes,) = stacked(figure, [2.4])
    samples = data.main()
    phases = _phases(samples) if len(samples) else []
    if not phases:
        reason = "no request was sent" if not len(samples) else "the request has no times"
        absent(axes, _TITLE, reason)
        return Caption(_TITLE, f"Not measured: {reason}.")
    total = sum(length for _, _, length, _ in phases)
    _bars(axes, phases, total)
    axes.set_title(f"{_TITLE}: {quantity(total, 's')} in all")
    longest = max(phases, key=lambda phase: phase[2])
    return Caption(
        _TITLE,
        f"{quantity(total, 's')} in all; the longest phase was '{longest[0]}' with "
        f"{quantity(longest[2], 's')}.",
        ["phase", "duration", "share"],
        [
            [name, quantity(length, "s"), quantity(100 * length / (total or 1), "%")]
            for name, _, length, _ in phases
        ],
    )


def _phases(samples: Table) -> list[Phase]:
    """Name, start since due, length and colour of the first sample's phases, in seconds."""
    due = float(samples.number("due")[0])
    found = []
    for name, start, end, colour in _PHASES:
        begin, stop = float(samples.number(start)[0]), float(samples.number(end)[0])
        if math.isfinite(begin) and math.isfinite(stop):
            found.append((name, begin - due, stop - begin, colour))
    return found


def _bars(axes: Axes, phases: list[Phase], total: float) -> None:
    factor, unit = scale_seconds(total)
    for row, (_, start, length, colour) in enumerate(phases):
        axes.barh(row, length * factor, left=start * factor, height=0.6, color=colour)
        axes.annotate(
            quantity(length, "s"),
            ((start + length) * factor, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.set_yticks(range(len(phases)), [name for name, *_ in phases])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, (total * factor or 1) * 1.1)
    axes.set_xlabel(f"time since the request was due [{unit}]")
