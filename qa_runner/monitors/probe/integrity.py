"""What is stored for a run, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable

from django.db import DatabaseError
from django.db.models import Count

from .checks import has_checks, problems
from .connection import Connection
from .failure import one_line
from .roles import Roles

__all__ = ["integrity", "violations"]

_CHUNK = 500
_LISTED = 1000


def integrity(
    roles: Roles, connection: Connection, tag: str, marks: dict[str, int]
) -> dict[str, Any]:
    """The rows since the mark and the users of the tag, what is wrong there and in all."""
    new = roles.new_rows("transactions", marks)
    column, _ = roles.related("transactions")
    rows = list(new.order_by("pk").values_list("pk", column, roles.intent_field))
    emails = _emails(roles, {user for _, user, _ in rows if user is not None})
    users = roles.users_of_tag(tag).order_by("pk").values_list("pk", roles.email_field)
    before = violations(roles, connection)
    counted = Counter(intent for _, _, intent in rows if intent not in {None, ""})
    # A new row that repeats an old one's intent is this run's doing as well.
    everywhere = dict(before["duplicate_list"])
    repeated = {
        intent: max(count, everywhere.get(str(intent), 0))
        for intent, count in counted.items()
        if count > 1 or str(intent) in everywhere
    }
    return {
        "stored": [
            [pk, emails.get(user), "" if intent is None else str(intent)]
            for pk, user, intent in rows
        ],
        "users": [list(pair) for pair in users],
        "users_without_balance": [list(pair) for pair in roles.without(users, "balances")],
        "users_without_transaction": [list(pair) for pair in roles.without(users, "transactions")],
        "orphan_transactions": list(roles.orphans(new).order_by("pk").values_list("pk", flat=True)),
        "duplicate_intents": [[str(intent), count] for intent, count in repeated.items()],
        "whole": before,
    }


def violations(roles: Roles, connection: Connection) -> dict[str, Any]:
    """What is wrong in the whole tables, whoever did it; None where it took too long to find."""
    reasons: list[str] = []
    left = 4

    def find(what: str, query: Callable[[], Any]) -> Any | None:
        nonlocal left
        try:
            connection.share(left)
            left -= 1
            return query()
        except DatabaseError as error:
            reasons.append(f"{what}: {one_line(error)}")
            connection.close()
            connection.reopen()
            return None

    transactions, users = roles.rows("transactions"), roles.rows("users")
    orphans = find("orphans", lambda: roles.orphans(transactions).count())
    lonely = find("users without balance", lambda: roles.without(users, "balances").count())
    duplicates = find("duplicates", lambda: _duplicates(roles))
    found = find("checks", lambda: problems(connection)) if has_checks(connection) else None
    return {
        "orphan_transactions": orphans,
        "users_without_balance": lonely,
        "duplicate_intents": None if duplicates is None else len(duplicates),
        "duplicate_list": duplicates or [],
        "problems": found,
        "reasons": reasons,
    }


def _duplicates(roles: Roles) -> list[tuple[str, int]]:
    field = roles.intent_field
    rows = (
        roles.rows("transactions")
        .exclude(**{field + "__isnull": True})
        .values_list(field)
        .annotate(rows=Count("pk"))
        .filter(rows__gt=1)
    )
    return [(str(intent), count) for intent, count in rows[:_LISTED] if intent != ""]


def _emails(roles: Roles, keys: set[Any]) -> dict[Any, str]:
    """The e-mail addresses of users, by what transactions refer to them with."""
    _, target = roles.related("transactions")
    found: dict[Any, str] = {}
    listed = sorted(keys)
    for start in range(0, len(listed), _CHUNK):
        some = roles.rows("users").filter(**{target + "__in": listed[start : start + _CHUNK]})
        found.update(some.values_list(target, roles.email_field))
    return found
