"""One axis for a run whose sessions each have a clock of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.readout import clock
from qa_runner.report.source import Source
from qa_runner.table import Floats, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TimeAxis"]

_TICKS = 10
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_GAP = 0.04


class TimeAxis:
    """Places (session, seconds) on one line: later sessions follow after a gap."""

    def __init__(self, source: Source) -> None:
        spans: dict[int, tuple[float, float]] = {}
        for session, low, high in _extents(source):
            held = spans.get(session, (low, high))
            spans[session] = (min(held[0], low), max(held[1], high))
        self.spans = dict(sorted(spans.items()))
        total = sum(high - low for low, high in self.spans.values()) or 1.0
        self._gap = _GAP * total
        self._offsets: dict[int, float] = {}
        reached = 0.0
        for session, (low, high) in self.spans.items():
            self._offsets[session] = reached - low
            reached += max(high - low, 0.02 * total) + self._gap
        self.end = max(reached - self._gap, 1.0)

    def place(self, sessions: Floats, times: Floats) -> Floats:
        """Seconds on the common axis, NaN for sessions that are not on it."""
        placed = np.full(times.shape, np.nan)
        for session, offset in self._offsets.items():
            mine = sessions == session
            placed[mine] = times[mine] + offset
        return placed

    def at(self, session: int, seconds: float) -> float:
        """One moment on the common axis."""
        return seconds + self._offsets.get(session, float("nan"))

    def line(self, table: Table, values: Floats) -> tuple[Floats, Floats]:
        """A series as x and y, broken by NaN between sessions and where a value is missing."""
        xs: list[Floats] = []
        ys: list[Floats] = []
        for session in self._offsets:
            mine = table.number("session") == session
            xs += [self.place(table.number("session")[mine], table.number("time")[mine])]
            ys += [values[mine]]
            xs.append(np.array([np.nan]))
            ys.append(np.array([np.nan]))
        if not xs:
            return np.empty(0), np.empty(0)
        return np.concatenate(xs), np.concatenate(ys)

    def label(self, axes: Axes) -> None:
        """Ticks in minutes and seconds of each session; a dotted line where one begins."""
        length = sum(high - low for low, high in self.spans.values())
        every = next((step for step in _STEPS if length / step <= _TICKS), _STEPS[-1])
        places, labels = [], []
        for session, (low, high) in self.spans.items():
            first = int(np.ceil(max(low, 0.0) / every)) * every
            for second in np.arange(first, high + 1e-9, every):
                places.append(self.at(session, float(second)))
                labels.append(f"{int(second) // 60}:{int(second) % 60:02d}")
            if session != next(iter(self.spans)):
                places.append(self.at(session, low) - self._gap / 2)
                labels.append("rerun")
        axes.set_xticks(places, labels)
        axes.set_xlim(0, self.end)
        clock(axes.xaxis, ((self.at(held, low), low) for held, (low, _) in self.spans.items()))


def _extents(source: Source) -> Iterable[tuple[int, float, float]]:
    for step in source.run.steps:
        for attempt in step.attempts:
            yield attempt.session, attempt.start, max(source.end(attempt), attempt.start)
    tables = [(source.all_samples, "due"), (source.all_samples, "finished")]
    tables += [(table, "time") for table in source.series.values()]
    for table, column in tables:
        times, sessions = table.number(column), table.number("session")
        for session in np.unique(sessions[np.isfinite(sessions)]):
            known = times[(sessions == session) & np.isfinite(times)]
            if known.size:
                yield int(session), float(known.min()), float(known.max())
