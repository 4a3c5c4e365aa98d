"""What the database says about itself, as tables for the report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qa_runner import StepContext, Table

__all__ = ["activity", "connections", "lock_waits"]

_COLUMNS = ("what", "at the start", "lowest", "highest", "at the end")
_ACTIVITY = (
    ("connections", "open connections", 1.0, "database"),
    ("database_handles", "open descriptors of the file, the server's", 1.0, "server"),
    ("sessions_active", "sessions at work", 1.0, "database"),
    ("sessions_idle", "sessions idle", 1.0, "database"),
    ("sessions_idle_in_transaction", "sessions idle in a transaction", 1.0, "database"),
    ("sessions_waiting", "sessions waiting for a lock", 1.0, "database"),
    ("longest_transaction_seconds", "longest transaction, s", 1.0, "database"),
    ("longest_idle_in_transaction_seconds", "longest idle in a transaction, s", 1.0, "database"),
    ("longest_wait_seconds", "longest wait for a lock, s", 1.0, "database"),
    ("commits", "transactions committed in this session", 1.0, "database"),
    ("rollbacks", "transactions rolled back in this session", 1.0, "database"),
    ("deadlocks", "deadlocks in this session", 1.0, "database"),
    ("server_connections", "connections in use, all databases", 1.0, "database"),
    ("stored_bytes", "stored, MB", 1e-6, "database"),
    ("wal_bytes", "write-ahead log, MB", 1e-6, "database"),
)
"""Column of a series, label, factor to show it with, series."""
_MOST_WAITS = 10


def activity(ctx: StepContext, start: float) -> None:
    """A row for each figure that this kind of database gave since ``start``."""
    end = ctx.now()
    series = {name: ctx.series(name, start, end) for name in ("database", "server")}
    rows: list[tuple[str | float | None, ...]] = []
    for column, label, factor, name in _ACTIVITY:
        values = series[name].number(column)
        values = values[np.isfinite(values)] * factor
        if values.size and (values.any() or not column.startswith("wal")):
            found = (values[0], values.min(), values.max(), values[-1])
            rows.append((label, *(round(float(value), 3) for value in found)))
    rows += _lock_errors(ctx.series("log", start, end))
    if rows:
        ctx.table("database_activity", "The database meanwhile", _COLUMNS, rows)


def connections(ctx: StepContext, start: float, end: float) -> list[float]:
    """What the database counts, or else the server's open descriptors of the SQLite file."""
    for series, column in (("database", "connections"), ("server", "database_handles")):
        values = ctx.series(series, start, end).number(column)
        values = values[np.isfinite(values)]
        if values.size:
            return [float(value) for value in values]
    return []


def lock_waits(ctx: StepContext, start: float) -> None:
    """Who waited for whom, the longest first; nothing where nobody was seen waiting."""
    found: dict[tuple[str, str], list[Any]] = {}
    for wait in ctx.database.lock_waits(start, ctx.now()):
        found.setdefault((wait.statement, wait.blocker_statement), []).append(wait)
    longest = sorted(found.values(), key=lambda alike: -max(wait.seconds for wait in alike))
    if longest:
        ctx.table(
            "lock_waits",
            "Waits for locks",
            ("waiting", "for", "which was", "longest s", "seen"),
            [
                (
                    alike[0].statement,
                    alike[0].blocker_statement,
                    _states(wait.blocker_state for wait in alike),
                    round(max(wait.seconds for wait in alike), 3),
                    len(alike),
                )
                for alike in longest[:_MOST_WAITS]
            ],
        )


def _states(states: Iterable[str]) -> str:
    return ", ".join(sorted({state for state in states if state})) or "unknown"


def _lock_errors(log: Table) -> list[tuple[str | float | None, ...]]:
    """Errors for locks that the server logged meanwhile, if it logged any."""
    count = int(log.text_equals("kind", "lock").sum())
    return [("lock errors in the server's log", None, None, None, count)] if count else []
