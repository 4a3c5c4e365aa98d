"""Step 5: rows added against acknowledged requests, query time, connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa_runner.report.charts.canvas import Caption, absent, stacked
from qa_runner.report.charts.marks import limit_line, load_shade
from qa_runner.report.charts.palette import BLUE, GREEN, OCHRE, PURPLE, VERMILION
from qa_runner.report.charts.points import finite, scale_seconds, thin
from qa_runner.report.format import number, quantity
from qa_runner.report.source import StepData, succeeded
from qa_runner.table import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["connections", "paint"]

_TITLE = "The database under load"
_SILENT = "the database probe gave no values"
_SESSIONS = (
    ("sessions_waiting", "waiting for a lock", VERMILION, "-"),
    ("sessions_idle_in_transaction", "idle in a transaction", OCHRE, "--"),
)
"""Of the connections, those that one would rather not have: column, label, colour, line."""


def paint(data: StepData, figure: Figure) -> Caption:
    """Draw it."""
    rows_axes, query_axes, open_axes = stacked(figure, [2.2, 1.4, 1.3], share_x=True)
    origin = data.attempt.start
    for axes in (rows_axes, query_axes, open_axes):
        load_shade(axes, data.loads(), origin)
    rows = _rows(data, rows_axes, origin)
    query = _queries(data, query_axes, origin)
    _connections(data, open_axes, origin)
    open_axes.set_xlabel("time since the step began [s]; shaded: load")
    return Caption(
        _TITLE,
        f"{rows} {query}",
        ["series", "first", "last", "lowest", "highest"],
        _table(data),
    )


def connections(data: StepData) -> tuple[Floats, Floats, str]:
    """Time, count and name of the open connections, by whichever source has them."""
    database, server = data.series["database"], data.series["server"]
    x, y = finite(database.number("time"), database.number("connections"))
    if x.size:
        return x, y, "open connections"
    x, y = finite(server.number("time"), server.number("database_handles"))
    return x, y, "open descriptors of the database file"


def _rows(data: StepData, axes: Axes, origin: float) -> str:
    database = data.series["database"]
    x, y = finite(database.number("time"), database.number("transactions_added"))
    if not x.size:
        absent(axes, "Rows added", _SILENT)
        return "Rows added were not measured."
    added = y - y[0]
    # Between two readings nobody looked: a row is drawn from the reading that saw it.
    axes.step(
        x - origin,
        added,
        where="post",
        marker="o",
        markersize=2.5,
        color=BLUE,
        label="transactions added",
    )
    _, users = finite(database.number("time"), database.number("users_added"))
    if users.size == x.size:
        axes.step(
            x - origin, users - users[0], where="post", color=GREEN, ls="--", label="users added"
        )
    ends = np.sort(data.samples.number("finished")[succeeded(data.samples)])
    ends = ends[np.isfinite(ends)]
    counts = np.arange(1.0, ends.size + 1)
    across, up = thin(ends - origin, counts)
    axes.step(
        np.concatenate([[x[0] - origin], across, [x[-1] - origin]]),
        np.concatenate([[0.0], up, [float(ends.size)]]),
        where="post",
        color=OCHRE,
        linewidth=1.0,
        label="requests acknowledged",
    )
    axes.set_title("Rows added, against acknowledged requests")
    axes.set_ylabel("count")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")
    return f"{number(added[-1], 9)} transactions were added, {ends.size:,} requests acknowledged."


def _queries(data: StepData, axes: Axes, origin: float) -> str:
    database = data.series["database"]
    x, y = finite(database.number("time"), database.number("query_seconds"))
    if not x.size:
        absent(axes, "Query time", _SILENT)
        return "The query time was not measured."
    factor, unit = scale_seconds(float(y.max()))
    axes.plot(x - origin, y * factor, marker="o", markersize=2.5, color=PURPLE)
    axes.set_ylim(0, float(y.max()) * factor * 1.25 or 1)
    limit = data.limit("query_time", "median")
    limit_line(axes, limit, factor, f"limit of the median {quantity(limit, 's')}")
    axes.set_title("Time of the fixed, indexed query")
    axes.set_ylabel(f"query time [{unit}]")
    return f"The median query took {quantity(float(np.median(y)), 's')}."


def _connections(data: StepData, axes: Axes, origin: float) -> None:
    x, y, name = connections(data)
    if not x.size:
        absent(axes, "Database connections", "neither the database nor the server counts them")
        return
    x, y = thin(x, y)
    axes.step(x - origin, y, where="post", color=GREEN, label=name)
    drawn = [_sessions(data, axes, origin, state) for state in _SESSIONS]
    if any(drawn):
        axes.legend(loc="upper right", ncols=3)
    axes.set_title(f"Database: {name} of the server")
    axes.set_ylabel("count")
    axes.set_ylim(0, float(y.max()) * 1.25 + 1)


def _sessions(data: StepData, axes: Axes, origin: float, state: tuple[str, str, str, str]) -> bool:
    """Draw how many were in this state, if ever any were."""
    column, label, colour, line = state
    database = data.series["database"]
    x, y = finite(database.number("time"), database.number(column))
    if not y.any():
        return False
    x, y = thin(x, y)
    axes.step(x - origin, y, where="post", color=colour, ls=line, linewidth=1.0, label=label)
    return True


def _table(data: StepData) -> list[list[str]]:
    database = data.series["database"]
    listed = [
        (name.replace("_", " "), database.number(name), "count")
        for name in ("transactions_added", "users_added", "balances_added")
    ]
    listed.append(("query time", database.number("query_seconds"), "s"))
    listed.append(("probe's whole read", database.number("probe_seconds"), "s"))
    _, open_now, name = connections(data)
    listed.append((name, open_now, "count"))
    rows = []
    for label, values, unit in listed:
        known = values[np.isfinite(values)]
        if known.size:
            found = (known[0], known[-1], known.min(), known.max())
            rows.append([label, *(quantity(float(value), unit) for value in found)])
    return rows
