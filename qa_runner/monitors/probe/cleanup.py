"""Removes the rows of one run, and nothing else."""

from __future__ import annotations

from typing import Any

from .connection import Connection
from .failure import ProbeFailure
from .roles import Roles

__all__ = ["clean_up"]

_CHUNK = 500
_ORDER = ("transactions", "balances", "users")


def clean_up(
    roles: Roles,
    connection: Connection,
    tag: str,
    marks: dict[str, int],
    transaction_ids: list[int],
) -> dict[str, int]:
    """Remove the users of the tag that are newer than the mark, with what belongs to them.

    ``transaction_ids`` are transactions without a user that the run knows to be its own. Rows
    are removed without the project's signals, which could act on other systems. Returns the
    number of rows removed, by role; raises ProbeFailure, and removes nothing, if rows of any
    other model refer to them.
    """
    users = list(roles.users_of_tag(tag).filter(pk__gt=marks["users"]).values_list("pk", flat=True))
    keys: dict[str, list[Any]] = {"users": users}
    for role in ("transactions", "balances"):
        name = roles.relations[role].name
        keys[role] = [
            pk
            for some in _chunks(users)
            for pk in roles.new_rows(role, marks)
            .filter(**{name + "__pk__in": some})
            .values_list("pk", flat=True)
        ]
    column, _ = roles.related("transactions")
    keys["transactions"] += [
        pk
        for some in _chunks(transaction_ids)
        for pk in roles.new_rows("transactions", marks)
        .filter(**{"pk__in": some, column + "__isnull": True})
        .values_list("pk", flat=True)
    ]
    memberships = _outside(roles, keys)
    # What has to go is known by now, so that the transaction starts with a write and is short.
    with connection.atomic():
        for rows in memberships:
            rows._raw_delete(connection.alias)
        return {
            role: sum(
                roles.rows(role).filter(pk__in=some)._raw_delete(connection.alias) or 0
                for some in _chunks(keys[role])
            )
            for role in _ORDER
        }


def _outside(roles: Roles, keys: dict[str, list[Any]]) -> list[Any]:
    """Rows of many-to-many tables that belong to the users themselves (their groups, say).

    Raises ProbeFailure for rows of any other model that refer to what is to be removed.
    """
    own = {model._meta.concrete_model for model in roles.models.values()}
    memberships: list[Any] = []
    for role in _ORDER:
        model = roles.models[role]._meta.concrete_model
        if model._meta.parents:
            raise ProbeFailure(
                f"{model._meta.label} inherits from another model: its rows are not removed"
            )
        for relation in _relations_to(model):
            for some in _chunks(keys[role]):
                rows = relation.related_model._base_manager.using(roles.alias).filter(
                    **{relation.field.name + "__pk__in": some}
                )
                if relation.related_model._meta.auto_created in own:
                    memberships.append(rows)
                    continue
                if relation.related_model in own:
                    rows = rows.exclude(pk__in=_known(roles, relation.related_model, keys))
                if rows.exists():
                    raise ProbeFailure(
                        f"rows of {relation.related_model._meta.label} refer to {role} of this "
                        "run: nothing was removed, since that would cascade to them"
                    )
    return memberships


def _known(roles: Roles, model: Any, keys: dict[str, list[Any]]) -> list[Any]:
    return [
        pk
        for role, each in roles.models.items()
        if each._meta.concrete_model is model
        for pk in keys[role]
    ]


def _relations_to(model: Any) -> list[Any]:
    """The foreign keys that refer to a model, those without a reverse name included."""
    return [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created
        and not relation.concrete
        and (relation.one_to_many or relation.one_to_one)
    ]


def _chunks(values: list[Any]) -> list[list[Any]]:
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
