"""Which columns there are in the tables of samples and series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SAMPLES", "SERIES", "Columns"]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of table, in file order."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...] = ()
    whole: Mapping[str, str] = field(default_factory=dict)
    """The numbers that are whole, with the NumPy type that they are kept in."""
    numbered_by: str = ""
    """The column whose value, plus one, stands in texts that are kept as a pattern."""
    later: frozenset[str] = frozenset()
    """Columns that files of older versions lack: absent in all their rows."""

    @property
    def names(self) -> tuple[str, ...]:
        """All column names: numbers first, then texts."""
        return self.numbers + self.texts


SAMPLES = Columns(
    numbers=(
        "session",  # number of the session whose clock the times are on
        "load",  # number of the load within the session
        "iteration",  # 0-based number of the request within its load
        "user",  # 0-based virtual user
        "due",  # the times: seconds on the session's clock, NaN where not reached
        "started",
        "resolved",  # host name looked up; equals started where no look-up was needed
        "connected",
        "secured",  # TLS handshake done; equals connected over http
        "sent",
        "first_byte",
        "finished",
        "status",  # 0 without a response
        "bytes_received",
        "reused",  # 1 if the connection had served an earlier request
        "json_object",  # 1 if the body is a JSON object, 0 if not, NaN if nobody looked
        "application_seconds",  # inside the server, the database included; these three are NaN
        "database_seconds",  # where the response has no Server-Timing header that says it
        "queries",
    ),
    texts=(
        "part",  # "3.1"
        "role",  # "main" is judged; anything else ("follow-up", "probe", ...) stands beside it
        "tag",  # "users:10", or empty
        "key",  # what identifies the request in the target's data, e.g. its e-mail address
        "outcome",  # an Outcome
        "error",  # a short cause when there was no success
        "extracted",  # JSON object of what was extracted from the response
        "excerpt",  # start of the body when there was no success, redacted
    ),
    whole={
        "session": "i2",
        "load": "i4",
        "iteration": "i4",
        "user": "i4",
        "status": "i4",
        "bytes_received": "i8",
        "reused": "i1",
        "json_object": "i1",
        "queries": "i4",
    },
    numbered_by="iteration",
    later=frozenset({"application_seconds", "database_seconds", "queries"}),
)

_ACTIVITY = frozenset(
    {
        "sessions_active",
        "sessions_idle",
        "sessions_idle_in_transaction",
        "sessions_waiting",
        "longest_transaction_seconds",
        "longest_idle_in_transaction_seconds",
        "longest_wait_seconds",
        "commits",
        "rollbacks",
        "deadlocks",
        "server_connections",
        "stored_bytes",
        "wal_bytes",
        "probe_statements",
        "probe_busy_seconds",
        "waits",
    }
)

SERIES: Mapping[str, Columns] = {
    "server": Columns(
        numbers=(
            "session",
            "time",
            "processes",
            "workers",
            "rss_bytes",
            "cpu_percent",  # of the tree over its workers; 100 = one core each
            "threads",
            "open_files",
            "database_handles",  # open descriptors of the SQLite file; NaN if unknown
            "restarts",  # since the start of the session, cumulative
        ),
        texts=("pids",),
    ),
    "system": Columns(
        numbers=(
            "session",
            "time",
            "cpu_percent",  # of all cores, 100 = all busy
            "load_1_minute",
            "memory_used_bytes",
            "disk_read_bytes",
            "disk_written_bytes",
        )
    ),
    "database": Columns(
        numbers=(
            "session",
            "time",  # start of the read
            "read_end",
            "transactions_added",  # since the start of the session
            "users_added",
            "balances_added",
            "query_seconds",  # the fixed, indexed query
            "connections",  # open connections, where the database counts them; else NaN
            "probe_seconds",  # what the whole read cost
            # Where the database keeps them; of the target's database, without the probe.
            "sessions_active",
            "sessions_idle",
            "sessions_idle_in_transaction",
            "sessions_waiting",  # for a lock
            "longest_transaction_seconds",
            "longest_idle_in_transaction_seconds",
            "longest_wait_seconds",  # for a lock
            "commits",  # these three since the start of the session
            "rollbacks",
            "deadlocks",
            "server_connections",  # of all databases, the probe's too: what max_connections limits
            "stored_bytes",  # of the models' tables with their indexes; of the file, with SQLite
            "wal_bytes",  # of the write-ahead log of SQLite
            "probe_statements",  # the probe's own since the start of the session
            "probe_busy_seconds",
        ),
        texts=("error", "waits"),  # who waits for whom
        later=_ACTIVITY,
    ),
    "generator": Columns(
        numbers=("session", "time", "cpu_percent", "loop_lag_seconds", "in_flight")
    ),
    "log": Columns(
        numbers=("session", "time"),
        texts=("level", "kind", "text"),  # kind: lock, deadlock, timeout, server-error, other
    ),
}
