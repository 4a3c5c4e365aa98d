"""Faults that the database reports itself: PostgreSQL does so, SQLite's part is played."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable

from django.db import OperationalError, connection, transaction

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import EveryNth
from qa_runner.demo.faults.database import opened
from qa_runner.demo.finances.models import PurchaseTransaction
from qa_runner.demo.finances.orders import Order
from qa_runner.demo.finances.provider import Intent

__all__ = ["DatabaseTimeouts", "Deadlocks"]

Store = Callable[[], PurchaseTransaction]


class _Failing(Fault):
    """Fails in the database, instead of writing."""

    message = ""

    def __init__(self) -> None:
        self._counter = EveryNth(5)

    def store(self, order: Order, intent: Intent, proceed: Store) -> PurchaseTransaction:  # noqa: ARG002 (the signature of the layer)
        """Store, every 5th time raise."""
        if self._counter.strikes():
            if connection.vendor == "postgresql":
                self.fail()
            raise OperationalError(self.message)
        return proceed()

    def fail(self) -> None:
        """Let PostgreSQL raise an OperationalError with this message."""


class DatabaseTimeouts(_Failing):
    """Asks for what takes longer than the limit that is set."""

    message = "canceling statement due to statement timeout"

    def fail(self) -> None:
        """Sleep in the database."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '100ms'")
            cursor.execute("SELECT pg_sleep(5)")


class Deadlocks(_Failing):
    """Takes two locks while another session takes them the other way round."""

    message = "deadlock detected"

    _keys = itertools.count(1)
    _ready_seconds = 5.0
    _head_start_seconds = 0.1

    def fail(self) -> None:
        """Wait for each other; PostgreSQL ends the one that has waited for longer: this one."""
        mine, theirs = next(self._keys), next(self._keys)
        holds = threading.Event()
        other = threading.Thread(target=self._cross, args=(mine, theirs, holds), daemon=True)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [mine])
            other.start()
            holds.wait(self._ready_seconds)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [theirs])

    def _cross(self, mine: int, theirs: int, holds: threading.Event) -> None:
        # A thread of its own: Django lets each use its own connections only.
        second = opened()
        try:
            with contextlib.suppress(OperationalError), second.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [theirs])
                holds.set()
                time.sleep(self._head_start_seconds)
                cursor.execute("SELECT pg_advisory_lock(%s)", [mine])
        finally:
            second.close()
