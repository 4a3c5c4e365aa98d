"""What a database's own checks find."""

from __future__ import annotations

from .connection import Connection

__all__ = ["has_checks", "problems"]

_LISTED = 20


def has_checks(connection: Connection) -> bool:
    """Whether :func:`problems` can find any."""
    return connection.vendor in {"sqlite", "postgresql"}


def problems(connection: Connection) -> list[str]:
    """What is wrong, one line each, at most some twenty of a kind."""
    if connection.vendor == "sqlite":
        rows = [str(row[0]) for row in connection.fetch(f"PRAGMA quick_check({_LISTED})")]
        found = ["quick_check: " + text for text in rows if text != "ok"]
        for table, row, parent, _ in connection.fetch("PRAGMA foreign_key_check")[:_LISTED]:
            found.append(f"foreign_key_check: {table} row {row} -> {parent}")
        return found
    if connection.vendor == "postgresql":
        indexes = connection.fetch(
            "SELECT i.indexrelid::regclass::text FROM pg_index i WHERE NOT i.indisvalid "
            "ORDER BY 1 LIMIT %s",
            [_LISTED],
        )
        # Those that are meant not to be enforced, which newer servers know, are no problem.
        constraints = connection.fetch(
            "SELECT c.conrelid::regclass::text || '.' || c.conname FROM pg_constraint c "
            "WHERE NOT c.convalidated "
            "AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) ORDER BY 1 LIMIT %s",
            [_LISTED],
        )
        return [f"invalid index: {row[0]}" for row in indexes] + [
            f"constraint not valid: {row[0]}" for row in constraints
        ]
    return []
