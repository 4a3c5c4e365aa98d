"""The probe's own database connection: autocommit, limited in time, reopened after errors."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Sequence

from django.db import connections, transaction

__all__ = ["APPLICATION", "Connection"]

APPLICATION = "qa-runner probe"
"""What the probe's session is called in the database's own lists."""

# How long a read waits for a lock of the target's before it says so.
_LOCK_SECONDS = 3
# How long the database's host has to answer at all.
_CONNECT_SECONDS = 5
# How many steps SQLite does between two looks at the time.
_SQLITE_STEPS = 20_000


class Connection:
    """A database of the project; every request has ``limit_seconds`` for all its statements.

    It counts what it sends: ``statements``, and of the transactions that these were, since each
    is one of its own, those that were committed and those that failed.
    """

    def __init__(self, alias: str, limit_seconds: float) -> None:
        self.alias = alias
        self.statements = 0
        self.commits = 0
        self.rollbacks = 0
        self._connection = connections[alias]
        self._limit_seconds = limit_seconds
        self._deadline = 0.0
        self._shared = False
        self._pooled = False
        self._busy_timeout_seconds: float | None = None
        self._prepared: object | None = None
        self._connection.execute_wrappers.append(self._counted)
        if self.vendor == "postgresql":
            self._own_options()

    @property
    def vendor(self) -> str:
        """The kind of database, as Django names it: sqlite, postgresql, mysql."""
        return str(self._connection.vendor)

    @property
    def pooled(self) -> bool:
        """Whether a pooler stands between, so that statements are not limited in time."""
        return self._pooled

    @property
    def busy_timeout_seconds(self) -> float | None:
        """How long the project lets SQLite wait for a lock; None for other databases."""
        return self._busy_timeout_seconds

    @property
    def settings(self) -> dict[str, Any]:
        """What the project says about this database; holds its password."""
        return dict(self._connection.settings_dict)

    @property
    def server_version(self) -> int:
        """The version of a PostgreSQL server as it counts it: 150004 is 15.4."""
        return int(self._connection.pg_version)  # type: ignore[attr-defined]

    def quote(self, table: str) -> str:
        """A table's name as it stands in statements."""
        return str(self._connection.ops.quote_name(table))

    def begin(self) -> None:
        """Start the time of a request, with a connection that works."""
        self._deadline = time.monotonic() + self._limit_seconds
        self.reopen()
        if self._shared:
            self._allow(self._limit_seconds)
            self._shared = False

    def share(self, parts: int) -> None:
        """Leave the statement that follows, the first of ``parts``, its share of the time left.

        Else the first of several that are slow would leave nothing to the others.
        """
        left = max(self._deadline - time.monotonic(), 0.1 * parts)
        self._allow(left / parts)
        self._shared = True

    def reopen(self) -> None:
        """Have a connection that works, without more time than the request has left."""
        self._connection.ensure_connection()
        if self._prepared is not self._connection.connection:
            self._prepare()
            self._prepared = self._connection.connection

    def close(self) -> None:
        """Close; the next request opens it again."""
        self._prepared = None
        self._connection.close()

    def fetch(self, statement: str, values: Sequence[Any] | None = None) -> list[Any]:
        """The rows of a statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction; nothing that takes long may stand in it."""
        try:
            with transaction.atomic(using=self.alias):
                yield
        except Exception:
            self.rollbacks += 1
            raise
        self.commits += 1

    def _own_options(self) -> None:
        """A single session by name, whatever the project wants for its own."""
        settings = self._connection.settings_dict
        options = dict(settings.get("OPTIONS") or {})
        # A pool would open sessions that nobody uses, and count them as the server's.
        options.pop("pool", None)
        options["application_name"] = APPLICATION
        options.setdefault("connect_timeout", _CONNECT_SECONDS)
        settings["OPTIONS"] = options

    def _prepare(self) -> None:
        if not self._connection.get_autocommit():
            self._connection.set_autocommit(True)
        self._pooled = self._is_pooled()
        self._allow(self._limit_seconds)
        if self.vendor == "sqlite":
            # What the server's connections begin with, before this one gets its own.
            self._busy_timeout_seconds = self.fetch("PRAGMA busy_timeout")[0][0] / 1000
            self.fetch(f"PRAGMA busy_timeout = {_LOCK_SECONDS * 1000}")
            self._connection.connection.set_progress_handler(self._is_late, _SQLITE_STEPS)
        elif self.vendor == "postgresql" and not self._pooled:
            self._set("lock_timeout", _LOCK_SECONDS)
        elif self.vendor == "mysql":
            with self._connection.cursor() as cursor:
                cursor.execute(f"SET lock_wait_timeout = {_LOCK_SECONDS}")

    def _is_pooled(self) -> bool:
        """Whether a pooler such as pgbouncer stands between: it deals out keys of its own.

        What is set for a session there can stay for one of the target's, so nothing is.
        """
        if self.vendor != "postgresql":
            return False
        # psycopg2 tells it from 2.8 on.
        told = getattr(getattr(self._connection.connection, "info", None), "backend_pid", None)
        return told is not None and told != self.fetch("SELECT pg_backend_pid()")[0][0]

    def _allow(self, seconds: float) -> None:
        """The time of each statement from now on."""
        self._statement_deadline = time.monotonic() + seconds
        if self.vendor == "postgresql" and not self._pooled:
            self._set("statement_timeout", seconds)

    def _set(self, name: str, seconds: float) -> None:
        """Limit PostgreSQL's session; not by SET, which takes no values that the server binds."""
        milliseconds = str(max(int(seconds * 1000), 1))
        self.fetch("SELECT set_config(%s, %s, false)", [name, milliseconds])

    def _is_late(self) -> int:
        now = time.monotonic()
        return int(now > self._deadline or (self._shared and now > self._statement_deadline))

    def _counted(
        self,
        execute: Callable[..., Any],
        statement: str,
        values: Any,
        many: bool,  # noqa: FBT001 (the signature of Django's wrappers)
        context: dict[str, Any],
    ) -> Any:
        self.statements += 1
        alone = not self._connection.in_atomic_block
        try:
            result = execute(statement, values, many, context)
        except Exception:
            self.rollbacks += alone
            raise
        self.commits += alone
        return result
