"""What PostgreSQL says about itself: sessions, lock waits, transactions, deadlocks, sizes.

Works with PostgreSQL 10 and newer. Sessions of other roles show their state to superusers and
members of pg_read_all_stats only; the target's own, whose settings the probe uses, always do.
"""

from __future__ import annotations

import re
import time
from typing import Any

from .connection import Connection

__all__ = ["PostgreSQLWatch"]

_SIZES_SECONDS = 10.0
_WAITS = 5
_STATEMENT_CHARACTERS = 160
# From this version on a session can have its own counts published at once.
_CAN_FLUSH = 150_000

_OWN = (
    "datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_IN_TRANSACTION = "state IN ('idle in transaction', 'idle in transaction (aborted)')"
_WAITING = "wait_event_type = 'Lock'"
_SESSIONS = f"""
SELECT
    count(*) FILTER (WHERE backend_type = 'client backend'),
    count(*) FILTER (WHERE {_OWN}),
    count(*) FILTER (WHERE {_OWN} AND state = 'active'),
    count(*) FILTER (WHERE {_OWN} AND state = 'idle'),
    count(*) FILTER (WHERE {_OWN} AND {_IN_TRANSACTION}),
    count(*) FILTER (WHERE {_OWN} AND {_WAITING}),
    extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE {_OWN})),
    extract(epoch FROM max(clock_timestamp() - state_change)
        FILTER (WHERE {_OWN} AND {_IN_TRANSACTION})),
    extract(epoch FROM max(clock_timestamp() - query_start) FILTER (WHERE {_OWN} AND {_WAITING}))
    {{flush}}
FROM pg_stat_activity
"""  # noqa: S608 (parts of ours)
_STATISTICS = """
SELECT xact_commit, xact_rollback, deadlocks
FROM pg_stat_database WHERE datname = current_database()
"""
# Only of those that wait: pg_blocking_pids holds up the lock manager for each it is asked about.
_BLOCKERS = f"""
SELECT waiting.pid, waiting.seconds, waiting.wait_event, waiting.query, blocker.pid,
    other.state, extract(epoch FROM clock_timestamp() - other.xact_start), other.query
FROM (
    SELECT pid, wait_event, query, pg_blocking_pids(pid) AS blockers,
        extract(epoch FROM clock_timestamp() - query_start) AS seconds
    FROM pg_stat_activity WHERE {_OWN} AND {_WAITING} ORDER BY query_start LIMIT {_WAITS}
) AS waiting
CROSS JOIN LATERAL unnest(waiting.blockers) AS blocker (pid)
LEFT JOIN pg_stat_activity AS other ON other.pid = blocker.pid
"""  # noqa: S608 (parts of ours)
_SIZES = """
SELECT named.name, found.reltuples, pg_total_relation_size(found.oid)
FROM unnest(%s::text[]) AS named (name)
JOIN pg_class AS found ON found.oid = to_regclass(named.name)
"""
# As sessions of the target begin, whatever the probe has set for its own.
_SETTINGS = """
SELECT name, reset_val, coalesce(unit, '') FROM pg_settings WHERE name IN (
    'max_connections', 'superuser_reserved_connections', 'deadlock_timeout', 'lock_timeout',
    'statement_timeout', 'idle_in_transaction_session_timeout')
"""
_TIMEOUTS = (
    ("lock_timeout", "lock timeout"),
    ("statement_timeout", "statement timeout"),
    ("idle_in_transaction_session_timeout", "idle in transaction timeout"),
    ("deadlock_timeout", "deadlocks looked for after"),
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|--[^\n]*", re.DOTALL)
_TEXT = re.compile(r"[eE]?'(?:[^'\\]|''|\\.)*(?:'|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w\"])-?\d+(?:\.\d+)?\b")


class PostgreSQLWatch:
    """Reads the statistics; ``tables`` are the tables of the models, by role."""

    def __init__(self, connection: Connection, tables: dict[str, str]) -> None:
        self._connection = connection
        self._tables = {role: connection.quote(table) for role, table in tables.items()}
        self._sized = 0.0
        self._bytes: int | None = None

    def read(self) -> dict[str, Any]:
        """The state now; the counts are those of the server's whole life.

        The probe's own transactions are in them: they are published before the counts are read
        where the server can do that, else with a second's delay.
        """
        can_flush = self._connection.server_version >= _CAN_FLUSH
        flush = ", pg_stat_force_next_flush()" if can_flush else ""
        row = self._connection.fetch(_SESSIONS.format(flush=flush))[0]
        commits, rollbacks, deadlocks = self._connection.fetch(_STATISTICS)[0]
        waiting = int(row[5])
        return {
            "server_connections": int(row[0]),
            "connections": int(row[1]),
            "active": int(row[2]),
            "idle": int(row[3]),
            "idle_in_transaction": int(row[4]),
            "waiting": waiting,
            "longest_transaction_seconds": _seconds(row[6]),
            "longest_idle_in_transaction_seconds": _seconds(row[7]),
            "longest_wait_seconds": _seconds(row[8]),
            "commits": int(commits),
            "rollbacks": int(rollbacks),
            "deadlocks": int(deadlocks),
            "waits": self._blockers() if waiting else [],
            "stored_bytes": self._stored_bytes(),
        }

    def facts(self) -> dict[str, Any]:
        """How the server is set up."""
        settings = {name: (value, unit) for name, value, unit in self._connection.fetch(_SETTINGS)}
        most = int(settings["max_connections"][0])
        reserved = int(settings["superuser_reserved_connections"][0])
        used = self._connection.fetch(_SESSIONS.format(flush=""))[0][0]
        facts: dict[str, Any] = {
            "connections allowed": most,
            "of these for superusers only": reserved,
            "connections in use, all databases": int(used),
        }
        if self._connection.pooled:
            facts["connected through"] = "a pooler: the probe's statements are not limited in time"
        for name, label in _TIMEOUTS:
            value, unit = settings[name]
            facts[label] = f"{value} {unit}" if value != "0" else "none"
        return facts

    def sizes(self) -> dict[str, tuple[int | None, int]]:
        """Rows, as the planner estimates them, and bytes with indexes, by role.

        The estimate is None for a table that was never analysed.
        """
        found = {
            name: (int(rows) if rows >= 0 else None, int(size))
            for name, rows, size in self._connection.fetch(_SIZES, [list(self._tables.values())])
        }
        return {role: found[table] for role, table in self._tables.items() if table in found}

    def _stored_bytes(self) -> int | None:
        now = time.monotonic()
        if self._bytes is None or now - self._sized >= _SIZES_SECONDS:
            self._sized = now
            self._bytes = sum(size for _, size in self.sizes().values())
        return self._bytes

    def _blockers(self) -> list[dict[str, Any]]:
        """Who waits for whom: a row for each pair."""
        return [
            {
                "pid": int(pid),
                "seconds": float(seconds or 0),
                "lock": str(lock or ""),
                "statement": _statement(query),
                "blocker_pid": int(blocker),
                "blocker_state": str(state or ("prepared transaction" if not blocker else "")),
                "blocker_seconds": _seconds(age),
                "blocker_statement": _statement(blocking),
            }
            for pid, seconds, lock, query, blocker, state, age, blocking in self._connection.fetch(
                _BLOCKERS
            )
        ]


def _seconds(value: Any) -> float | None:
    return None if value is None else max(float(value), 0.0)


def _statement(text: Any) -> str:
    """A statement without the values in it, which are other people's data."""
    bare = _COMMENT.sub(" ", _TEXT.sub("?", str(text or "")))
    bare = " ".join(_NUMBER.sub("?", bare).split())
    if len(bare) > _STATEMENT_CHARACTERS:
        # What locks often stands at the end: FOR UPDATE.
        bare = f"{bare[: _STATEMENT_CHARACTERS // 2]} \u2026 {bare[-_STATEMENT_CHARACTERS // 2 :]}"
    return bare
