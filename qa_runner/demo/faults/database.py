"""Faults of the database's time, and of the way it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import Max
from django.http import HttpResponseBase

from qa_runner.demo.accounts.models import CustomUser
from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import EveryNth
from qa_runner.demo.finances.models import PurchaseTransaction

__all__ = ["ConnectionLeak", "NPlusOne", "SlowDatabase", "opened"]


class ConnectionLeak(Fault):
    """Opens connections of its own that nobody closes."""

    def __init__(self) -> None:
        self._counter = EveryNth(5)
        self._held: list[BaseDatabaseWrapper] = []

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Proceed, every 5th time with one connection more."""
        if self._counter.strikes():
            self._held.append(opened())
        return proceed()


def opened() -> BaseDatabaseWrapper:
    """A connection that is not the thread's own, which Django closes at the end of a request."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    settings = connection.settings_dict
    # It reads nothing: SQLite holds back what others close while one of them has a read lock.
    # Nor does it take one of the pool, which would soon be empty.
    left_out = ("init_command", "pool")
    options = {k: v for k, v in settings["OPTIONS"].items() if k not in left_out}
    connection.settings_dict = {**settings, "OPTIONS": options}
    connection.ensure_connection()
    return connection


class NPlusOne(Fault):
    """Asks for one row at a time what one query could answer, the more of it the more there is.

    By a tenth of the rows, so that thousands of them do not bring everything to a halt.
    """

    step = 10

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Proceed, then look up the students of what was stored so far."""
        response = proceed()
        latest = PurchaseTransaction.objects.aggregate(latest=Max("pk"))["latest"] or 0
        for key in range(1, latest + 1, self.step):
            CustomUser.objects.filter(purchase_transactions=key).first()
        return response


class SlowDatabase(Fault):
    """Takes its time to look a user up, as without the index, more by and by.

    It is the database that is slow: for the probe, too, which works inside the project, so
    apps.py prepares this fault in every process.
    """

    delay_seconds = 0.15
    delay_per_second = 0.03
    most_seconds = 1.0

    def __init__(self) -> None:
        self._began = time.monotonic()

    def prepare(self) -> None:
        """Let every connection be slow that is opened from now on."""
        connection_created.connect(self._slow_down, weak=False, dispatch_uid="slow-database")

    def _slow_down(self, connection: Any, **_: object) -> None:
        # The cursor, not an execute wrapper: what measures the database's time is one of those.
        create = connection.create_cursor
        if getattr(create, "slow", False):
            return  # a connection that was closed and opened again

        def create_slow(name: str | None = None) -> Any:
            cursor = create(name)
            execute = cursor.execute

            def execute_late(query: Any, *parameters: Any) -> Any:
                if _looks_up(str(query)):
                    time.sleep(self._delay())
                return execute(query, *parameters)

            cursor.execute = execute_late
            return cursor

        create_slow.slow = True  # type: ignore[attr-defined]
        connection.create_cursor = create_slow

    def _delay(self) -> float:
        """Seconds that a query takes more by now."""
        grown = self.delay_seconds + self.delay_per_second * (time.monotonic() - self._began)
        return min(grown, self.most_seconds)


def _looks_up(query: str) -> bool:
    """Whether it asks for the user who has a certain id, e-mail address and the like."""
    table = CustomUser._meta.db_table  # noqa: SLF001 (public in Django)
    return f'FROM "{table}" WHERE "{table}".' in query and " = " in query
