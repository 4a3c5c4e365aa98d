"""The operations of the probe."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Callable, Dict

from django.db import DatabaseError, InterfaceError
from django.db.models import Max

from .cleanup import clean_up
from .connection import Connection
from .facts import facts, watch_of
from .failure import ProbeFailure, one_line
from .integrity import integrity, violations
from .remedy import remedy
from .roles import ROLES, Roles
from .sqlite import SQLiteWatch

__all__ = ["Session"]

Request = Dict[str, Any]


class Session:
    """An open project: its roles, its connection, and what can be asked."""

    def __init__(self, labels: dict[str, str], intent_field: str, limit_seconds: float) -> None:
        self._roles = Roles(labels, intent_field)
        self._connection = Connection(self._roles.alias, limit_seconds)
        self._watch = watch_of(self._roles, self._connection)
        self._busy_seconds = 0.0
        self._opening = False

    def operations(self) -> dict[str, Callable[[Request], Any]]:
        """The operations by name: those that read the database."""
        calls: dict[str, Callable[[Request], Any]] = {
            "info": lambda _: facts(self._roles, self._connection, self._watch),
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
        return {name: partial(self._run, call) for name, call in calls.items()}

    def info(self) -> dict[str, Any]:
        """What the project and its database are, when it is opened.

        Raises ProbeFailure if the database cannot be reached or has no tables for the models.
        """
        self._opening = True
        try:
            return dict(self._run(lambda _: facts(self._roles, self._connection, self._watch), {}))
        finally:
            self._opening = False

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _run(self, call: Callable[[Request], Any], request: Request) -> Any:
        """Do one operation; a connection that gave an error is not used again."""
        start = time.monotonic()
        what = "the database cannot be opened: "
        try:
            if isinstance(self._watch, SQLiteWatch):
                # First, since to open what is not there would make an empty file.
                self._watch.check()
            self._connection.begin()
            what = "the database answers: "
            return call(request)
        except (DatabaseError, InterfaceError) as error:
            self._connection.close()
            advice = remedy(error, opening=self._opening)
            raise ProbeFailure(what + one_line(error) + (f"; {advice}" if advice else "")) from None
        finally:
            self._busy_seconds += time.monotonic() - start

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
        state = self._watch.read() if self._watch is not None else {}
        connection = self._connection
        seconds = time.monotonic() - start
        return {
            "start": start,
            "end": end,
            "added": added,
            "query_seconds": query_seconds,
            "probe_seconds": seconds,
            "state": state,
            "own": {
                "statements": connection.statements,
                "commits": connection.commits,
                "rollbacks": connection.rollbacks,
                "busy_seconds": self._busy_seconds + seconds,
            },
        }
