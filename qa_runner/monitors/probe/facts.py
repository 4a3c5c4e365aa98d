"""What kind of database this is, how it is set up, and how much is in it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any, Union

import django
from django.conf import settings
from django.db.models import Max

from .connection import Connection
from .postgresql import PostgreSQLWatch
from .roles import ROLES, Roles
from .sqlite import SQLiteWatch

__all__ = ["Watch", "facts", "watch_of"]

Watch = Union[PostgreSQLWatch, SQLiteWatch]

# Counting more rows than these is a load of its own.
_COUNTED = 1_000_000


def watch_of(roles: Roles, connection: Connection) -> Watch | None:
    """What reads the state of this kind of database; None for one that nothing is known of."""
    if connection.vendor == "postgresql":
        return PostgreSQLWatch(
            connection, {role: roles.models[role]._meta.db_table for role in ROLES}
        )
    if connection.vendor == "sqlite" and not _in_memory(str(connection.settings["NAME"])):
        return SQLiteWatch(connection)
    return None


def facts(roles: Roles, connection: Connection, watch: Watch | None) -> dict[str, Any]:
    """Never a password or an address."""
    found = _of_the_kind(connection)
    sizes = watch.sizes() if isinstance(watch, PostgreSQLWatch) else {}
    counts: dict[str, int] = {}
    estimated = []
    for role in ROLES:
        count, exact = _count(roles, role, sizes.get(role, (None, 0))[0])
        counts[role] = count
        if not exact:
            estimated.append(role)
    found.update(
        python=platform.python_version(),
        django=django.get_version(),
        debug=bool(settings.DEBUG),
        counts=counts,
        estimated=estimated,
        table_bytes={role: size for role, (_, size) in sizes.items()},
        models={role: str(roles.models[role]._meta.label) for role in ROLES},
        details=watch.facts() if watch is not None else {},
    )
    return found


def _of_the_kind(connection: Connection) -> dict[str, Any]:
    own = connection.settings
    options = own.get("OPTIONS") or {}
    found: dict[str, Any] = {
        "engine": own["ENGINE"],
        "vendor": connection.vendor,
        "name": str(own["NAME"]),
        "server_version": "",
        "journal_mode": "",
        "busy_timeout_seconds": None,
        "transaction_mode": "",
        "isolation_level": "",
    }
    if connection.vendor == "sqlite":
        found["name"] = str(Path(found["name"]).resolve())
        found["server_version"] = str(connection.fetch("SELECT sqlite_version()")[0][0])
        found["journal_mode"] = str(connection.fetch("PRAGMA journal_mode")[0][0])
        found["busy_timeout_seconds"] = connection.busy_timeout_seconds
        found["transaction_mode"] = str(options.get("transaction_mode") or "DEFERRED")
        return found
    if "://" in found["name"] or "=" in found["name"]:
        found["name"] = ""  # libpq takes whole addresses for a name, with the password in them
    if connection.vendor == "postgresql":
        found["server_version"] = str(connection.fetch("SHOW server_version")[0][0])
        # What the project asks for, its driver sets when a transaction begins.
        with connection.atomic():
            found["isolation_level"] = str(connection.fetch("SHOW transaction_isolation")[0][0])
    elif connection.vendor == "mysql":
        found["server_version"] = str(connection.fetch("SELECT VERSION()")[0][0])
    return found


def _count(roles: Roles, role: str, estimate: int | None) -> tuple[int, bool]:
    """The number of rows, and whether it is exact: of big tables an estimate will do."""
    highest = roles.rows(role).aggregate(highest=Max("pk"))["highest"] or 0
    if highest <= _COUNTED:
        return roles.rows(role).count(), True
    return highest if estimate is None else estimate, False


def _in_memory(name: str) -> bool:
    return name == ":memory:" or name.startswith("file:")
