"""What happened once in a run, marked over all charts of the run at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.palette import GREEN, INK, PURPLE, VERMILION
from qa_runner.report.charts.points import finite
from qa_runner.report.charts.recovery import recovered_at
from qa_runner.report.charts.timeaxis import TimeAxis
from qa_runner.report.format import plural
from qa_runner.report.source import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Event", "events", "mark_events", "name_events", "told"]

_MOST = 50
_MOST_NAMES = 8
_STATUSES = {"interrupted": "interrupted", "crashed": "crashed", "stopped": "stopped for safety"}


@dataclass(frozen=True, slots=True)
class Event:
    """``at`` is its place on the common axis."""

    at: float
    name: str
    colour: str
    line: str


def events(source: Source, axis: TimeAxis) -> list[Event]:
    """Ends of server processes, loads cut off, recoveries, and how the run ended if early."""
    found = [*_restarts(source, axis), *_cut_off(source, axis), *_recoveries(source, axis)]
    if source.run.status in _STATUSES:
        found.append(Event(axis.end, _STATUSES[source.run.status], VERMILION, "-"))
    return sorted(found, key=lambda event: event.at)


def told(listed: list[Event]) -> str:
    """In words: "Marked: server process ended (2 times), recovered."; empty without events."""
    counted = Counter(event.name for event in listed)
    words = [
        name if count == 1 else f"{name} ({plural(count, 'time')})"
        for name, count in counted.items()
    ]
    return f" Marked: {', '.join(words)}." if words else ""


def mark_events(axes: Axes, listed: list[Event]) -> None:
    """A line for each."""
    for event in listed[:_MOST]:
        axes.axvline(event.at, color=event.colour, linestyle=event.line, linewidth=1.2)


def name_events(axes: Axes, listed: list[Event], axis: TimeAxis) -> None:
    """Write beside the lines what they are, as long as there are few."""
    if len(listed) > _MOST_NAMES:
        return
    for event in listed:
        # Where the curve of rows, which only grows, is not.
        early = event.at < axis.end / 2
        axes.annotate(
            event.name,
            (event.at, 0.97 if early else 0.04),
            xycoords=axes.get_xaxis_transform(),
            xytext=(3 if early else -3, 0),
            textcoords="offset points",
            ha="left" if early else "right",
            va="top" if early else "bottom",
            fontsize=8,
            color=INK,
        )


def _restarts(source: Source, axis: TimeAxis) -> list[Event]:
    server = source.series["server"]
    found = []
    for session in axis.spans:
        ends = [
            source.end(attempt)
            for step in source.run.steps
            for attempt in step.attempts
            if attempt.session == session
        ]
        # After the last step the target is shut down: no restart.
        mine = server.where(
            (server.number("session") == session)
            & (server.number("time") <= max(ends, default=0.0))
        )
        times, restarts = finite(mine.number("time"), mine.number("restarts"))
        found += [
            Event(axis.at(session, float(when)), "server process ended", VERMILION, "-.")
            for when in times[1:][np.diff(restarts) > 0]
        ]
    return found


def _cut_off(source: Source, axis: TimeAxis) -> list[Event]:
    return [
        Event(axis.at(attempt.session, load.end), "load cut off", PURPLE, ":")
        for step in source.run.steps
        for attempt in step.attempts
        for part in attempt.parts
        for load in part.loads
        if load.stop_reason
    ]


def _recoveries(source: Source, axis: TimeAxis) -> list[Event]:
    found = []
    for step in source.run.steps:
        data = source.step(step)
        when = recovered_at(data) if data else None
        if data and when is not None:
            found.append(Event(axis.at(data.attempt.session, when), "recovered", GREEN, "--"))
    return found
