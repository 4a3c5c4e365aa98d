"""The probe's own database connection: autocommit, limited in time, reopened after errors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.db import connections, transaction

__all__ = ["Connection"]

# How long a read waits for a lock of the target's before it says so.
_LOCK_SECONDS = 3
# How many steps SQLite does between two looks at the time.
_SQLITE_STEPS = 20_000


class Connection:
    """A database of the project; every request has ``limit_seconds`` for all its statements."""

    def __init__(self, alias: str, limit_seconds: float) -> None:
        self.alias = alias
        self._connection = connections[alias]
        self._limit_seconds = limit_seconds
        self._deadline = 0.0
        self._prepared: object | None = None

    @property
    def vendor(self) -> str:
        """The kind of database, as Django names it: sqlite, postgresql, mysql."""
        return str(self._connection.vendor)

    def begin(self) -> None:
        """Start the time of a request, with a connection that works."""
        self._deadline = time.monotonic() + self._limit_seconds
        self.reopen()

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

    def fetch(self, statement: str) -> list[Any]:
        """The rows of a statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def atomic(self) -> Any:
        """A transaction; only the removal of rows uses one."""
        return transaction.atomic(using=self.alias)

    def _prepare(self) -> None:
        if not self._connection.get_autocommit():
            self._connection.set_autocommit(True)
        if self.vendor == "sqlite":
            self.fetch(f"PRAGMA busy_timeout = {_LOCK_SECONDS * 1000}")
            self._connection.connection.set_progress_handler(self._is_late, _SQLITE_STEPS)
        elif self.vendor == "postgresql":
            with self._connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = %s", [int(self._limit_seconds * 1000)])
                cursor.execute("SET lock_timeout = %s", [_LOCK_SECONDS * 1000])
                cursor.execute("SET application_name = 'qa-runner probe'")
        elif self.vendor == "mysql":
            with self._connection.cursor() as cursor:
                cursor.execute("SET lock_wait_timeout = %s", [_LOCK_SECONDS])

    def _is_late(self) -> int:
        return int(time.monotonic() > self._deadline)

    def facts(self) -> dict[str, Any]:
        """What kind of database this is and how it is set up; never a password or an address."""
        settings = self._connection.settings_dict
        options = settings.get("OPTIONS") or {}
        facts: dict[str, Any] = {
            "engine": settings["ENGINE"],
            "vendor": self.vendor,
            "name": str(settings["NAME"]),
            "server_version": "",
            "journal_mode": "",
            "busy_timeout_seconds": None,
            "transaction_mode": "",
            "isolation_level": "",
        }
        if self.vendor == "sqlite":
            facts["name"] = str(Path(facts["name"]).resolve())
            facts["server_version"] = str(self.fetch("SELECT sqlite_version()")[0][0])
            facts["journal_mode"] = str(self.fetch("PRAGMA journal_mode")[0][0])
            facts["busy_timeout_seconds"] = float(options.get("timeout", 5.0))
            facts["transaction_mode"] = str(options.get("transaction_mode") or "DEFERRED")
        elif self.vendor == "postgresql":
            facts["server_version"] = str(self.fetch("SHOW server_version")[0][0])
            facts["isolation_level"] = str(self.fetch("SHOW transaction_isolation")[0][0])
        elif self.vendor == "mysql":
            facts["server_version"] = str(self.fetch("SELECT VERSION()")[0][0])
        return facts

    def count_others(self) -> int | None:
        """Open connections to this database without the probe's own; None if nobody counts."""
        if self.vendor != "postgresql":
            return None
        rows = self.fetch(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        return int(rows[0][0])

    def problems(self) -> list[str]:
        """What the database's own checks find, one line each."""
        if self.vendor == "sqlite":
            rows = [str(row[0]) for row in self.fetch("PRAGMA quick_check(20)")]
            found = ["quick_check: " + text for text in rows if text != "ok"]
            for table, row, parent, _ in self.fetch("PRAGMA foreign_key_check")[:20]:
                found.append(f"foreign_key_check: {table} row {row} -> {parent}")
            return found
        if self.vendor == "postgresql":
            indexes = self.fetch(
                "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "WHERE NOT i.indisvalid"
            )
            constraints = self.fetch("SELECT conname FROM pg_constraint WHERE NOT convalidated")
            return [f"invalid index: {row[0]}" for row in indexes] + [
                f"constraint not valid: {row[0]}" for row in constraints
            ]
        return []

    def has_checks(self) -> bool:
        """Whether :meth:`problems` can find any."""
        return self.vendor in {"sqlite", "postgresql"}
