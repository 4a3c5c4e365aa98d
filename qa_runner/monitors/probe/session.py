"""The operations of the probe."""

from __future__ import annotations

import platform
import time
from typing import Any, Callable, Dict

import django
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Max

from .cleanup import clean_up
from .connection import Connection
from .failure import ProbeFailure, one_line
from .integrity import integrity, violations
from .roles import ROLES, Roles

__all__ = ["Session"]

Request = Dict[str, Any]


class Session:
    """An open project: its roles, its connection, and what can be asked."""

    def __init__(self, labels: dict[str, str], intent_field: str, limit_seconds: float) -> None:
        self._roles = Roles(labels, intent_field)
        self._connection = Connection(self._roles.alias, limit_seconds)

    def operations(self) -> dict[str, Callable[[Request], Any]]:
        """The operations by name."""
        return {
            "info": lambda _: self._info(),
            "position": lambda _: self._position(),
            "mark": lambda _: self._mark(),
            "read": lambda request: self._read(request["marks"]),
            "integrity": lambda request: integrity(
                self._roles, self._connection, request["tag"], request["marks"]
            ),
            "users": lambda request: self._roles.users_of_tag(request["tag"]).count(),
            "cleanup": lambda request: clean_up(
                self._roles,
                self._connection,
                request["tag"],
                request["marks"],
                request["transaction_ids"],
            ),
        }

    def run(self, call: Callable[[Request], Any], request: Request) -> Any:
        """Do one operation; a connection that gave an error is not used again."""
        try:
            self._connection.begin()
            return call(request)
        except (DatabaseError, InterfaceError) as error:
            self._connection.close()
            raise ProbeFailure("the database answers: " + one_line(error)) from None

    def info(self) -> dict[str, Any]:
        """What the project and its database are.

        Raises ProbeFailure if the database cannot be reached or has no tables for the models.
        """
        try:
            return dict(self.run(lambda _: self._info(), {}))
        except ProbeFailure as failure:
            raise ProbeFailure(f"{failure} (is it reachable, and migrated?)") from None

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _info(self) -> dict[str, Any]:
        facts = self._connection.facts()
        facts.update(
            python=platform.python_version(),
            django=django.get_version(),
            debug=bool(settings.DEBUG),
            counts={role: self._roles.rows(role).count() for role in ROLES},
            models={role: str(self._roles.models[role]._meta.label) for role in ROLES},
        )
        return facts

    def _position(self) -> dict[str, int]:
        return {
            role: self._roles.rows(role).aggregate(highest=Max("pk"))["highest"] or 0
            for role in ROLES
        }

    def _mark(self) -> dict[str, Any]:
        return {**self._position(), "before": violations(self._roles, self._connection)}

    def _read(self, marks: dict[str, int]) -> dict[str, Any]:
        start = time.monotonic()
        added = {role: self._roles.new_rows(role, marks).count() for role in ROLES}
        # Every row seen above was there by now; what follows does not stretch the read.
        end = time.monotonic()
        query = self._roles.rows("users").filter(pk=marks["users"]).values_list("pk")
        before = time.perf_counter()
        list(query)
        query_seconds = time.perf_counter() - before
        return {
            "start": start,
            "end": end,
            "added": added,
            "query_seconds": query_seconds,
            "connections": self._connection.count_others(),
            "probe_seconds": time.monotonic() - start,
        }
