"""Which models play which role, and how they are related: found by looking at the models."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.db import models, router

from .failure import ProbeFailure

__all__ = ["ROLES", "Roles"]

ROLES = ("transactions", "users", "balances")


class Roles:
    """The three models, their relations, and their rows as querysets.

    ``labels`` maps each role to ``app.Model``, or to ``app.Model.field`` where a model has
    several relations to the users. Raises ProbeFailure, naming the candidates, for a model, a
    relation or a field that is not there.
    """

    def __init__(self, labels: dict[str, str], intent_field: str) -> None:
        missing = [role for role in ROLES if not labels.get(role)]
        if missing:
            raise ProbeFailure("no model is given for: " + ", ".join(missing))
        found = {role: _model(role, labels[role]) for role in ROLES}
        self.models: dict[str, Any] = {role: model for role, (model, _) in found.items()}
        for role, model in self.models.items():
            if not isinstance(_final(model._meta.pk), models.IntegerField):
                raise ProbeFailure(
                    f"the primary key of {_label(model)} ({role}) is no counting number, so that "
                    "new rows cannot be told from old ones"
                )
        users = self.models["users"]
        self.email_field = _email_field(users)
        self.intent_field = _intent_field(self.models["transactions"], intent_field)
        self.relations: dict[str, Any] = {
            role: _relation(role, self.models[role], users, found[role][1])
            for role in ("transactions", "balances")
        }
        self.alias = router.db_for_read(self.models["transactions"])

    def rows(self, role: str) -> Any:
        """All rows, whatever the model's own managers hide."""
        return self.models[role]._base_manager.using(self.alias).order_by()

    def new_rows(self, role: str, marks: dict[str, int]) -> Any:
        """The rows that came after the mark."""
        return self.rows(role).filter(pk__gt=marks[role])

    def related(self, role: str) -> tuple[str, str]:
        """The column that relates a role's rows to a user, and the users' field it refers to."""
        field = self.relations[role]
        return field.attname, field.target_field.attname

    def users_of_tag(self, tag: str) -> Any:
        """The users whose e-mail address contains the tag."""
        if not tag:
            raise ProbeFailure("the tag of the run is empty: it would match every user")
        return self.rows("users").filter(**{self.email_field + "__contains": tag})

    def without(self, users: Any, role: str) -> Any:
        """Those of the users that have no row of a role."""
        column, target = self.related(role)
        own = self.rows(role).filter(**{column: models.OuterRef(target)})
        return users.filter(~models.Exists(own))

    def orphans(self, transactions: Any) -> Any:
        """Those of the transactions whose user is not set or does not exist."""
        column, target = self.related("transactions")
        user = self.rows("users").filter(**{target: models.OuterRef(column)})
        return transactions.filter(~models.Exists(user))


def _final(field: Any) -> Any:
    """The field itself, or the one at the other end of a primary key that is a relation."""
    while field.remote_field is not None:
        field = field.target_field
    return field


def _concrete(model: Any) -> Any:
    return model._meta.concrete_model


def _label(model: Any) -> str:
    return str(model._meta.label)


def _model(role: str, label: str) -> tuple[Any, str]:
    app, _, rest = label.partition(".")
    name, _, field = rest.partition(".")
    try:
        return apps.get_model(app, name), field
    except (LookupError, ValueError):
        pass
    known = sorted(_label(model) for model in apps.get_models())
    same_name = [each for each in known if each.split(".")[-1].lower() == name.lower()]
    close = same_name or get_close_matches(label, known, n=3, cutoff=0.5)
    listed = ", ".join(close or known)
    raise ProbeFailure(
        f"there is no model {label} ({role}); {'similar ones' if close else 'the project has'}: "
        f"{listed}"
    )


def _relation(role: str, model: Any, users: Any, chosen: str) -> Any:
    found: list[Any] = [
        field
        for field in model._meta.concrete_fields
        if (field.many_to_one or field.one_to_one)
        and isinstance(field.related_model, type)
        and issubclass(users._meta.concrete_model, _concrete(field.related_model))
    ]
    if chosen:
        found = [field for field in found if field.name == chosen]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(field.name for field in found)
        raise ProbeFailure(
            f"{_label(model)} ({role}) has several relations to {_label(users)}: {names}; name "
            f"the one to use, as in {_label(model)}.{found[0].name}"
        )
    others = [
        f"{field.name} -> {_label(field.related_model)}"
        for field in model._meta.concrete_fields
        if field.is_relation and isinstance(field.related_model, type)
    ]
    which = f"relation {chosen}" if chosen else "relation"
    raise ProbeFailure(
        f"{_label(model)} ({role}) has no {which} to {_label(users)}; its relations: "
        f"{', '.join(others) or 'none'}"
    )


def _email_field(users: Any) -> str:
    fields = {field.name: field for field in users._meta.concrete_fields}
    named = getattr(users, "EMAIL_FIELD", None)
    if named in fields:
        return str(named)
    login = getattr(users, "USERNAME_FIELD", None)
    if login in fields and isinstance(fields[login], models.EmailField):
        return str(login)
    for name, field in fields.items():
        if isinstance(field, models.EmailField):
            return str(name)
    raise ProbeFailure(
        f"{_label(users)} (users) has no e-mail field; its fields: {', '.join(fields)}"
    )


def _intent_field(transactions: Any, name: str) -> str:
    known = [field.name for field in transactions._meta.concrete_fields]
    if name in known:
        return name
    raise ProbeFailure(
        f"{_label(transactions)} (transactions) has no field {name} for the payment intent; its "
        f"fields: {', '.join(known)}"
    )
