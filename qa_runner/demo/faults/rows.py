"""Faults of the rows: what is stored is not what was acknowledged."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from django.db import connection
from django.db.models import CharField

from qa_runner.demo.accounts.models import CustomUser
from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import EveryNth
from qa_runner.demo.finances.models import PurchaseTransaction, StudentAccountBalance
from qa_runner.demo.finances.orders import Order
from qa_runner.demo.finances.provider import Intent
from qa_runner.demo.finances.purchases import writing

__all__ = [
    "Duplicates",
    "LostWrites",
    "MissingBalances",
    "Orphans",
    "PartialWrites",
]

Store = Callable[[], PurchaseTransaction]


class Duplicates(Fault):
    """Takes a payment for the one before it: rows and answers carry its ids."""

    def __init__(self) -> None:
        self._counter = EveryNth(2)
        self._lock = threading.Lock()
        self._latest: Intent | None = None
        self._transactions: dict[str, PurchaseTransaction] = {}

    def prepare(self) -> None:
        """Drop the constraint that would prevent it."""
        meta = PurchaseTransaction._meta  # noqa: SLF001 (public in Django)
        field = meta.get_field("stripe_payment_intent_id")
        assert isinstance(field, CharField)  # noqa: S101 (for the type checker)
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, meta.db_table)
        if any(c["unique"] and c["columns"] == [field.column] for c in constraints.values()):
            without: CharField[str, str] = CharField(max_length=field.max_length)
            without.set_attributes_from_name(field.name)
            with connection.schema_editor() as editor:
                editor.alter_field(PurchaseTransaction, field, without)

    def charge(self, proceed: Callable[[], Intent]) -> Intent:
        """Every other time, answer as before."""
        strikes = self._counter.strikes()
        # The provider's time is taken first, so that the requests of one burst meet here.
        intent = proceed()
        with self._lock:
            if strikes and self._latest is not None:
                return self._latest
            self._latest = intent
        return intent

    def store(self, order: Order, intent: Intent, proceed: Store) -> PurchaseTransaction:  # noqa: ARG002 (the signature of the layer)
        """Store the row, and answer with the first one that has this intent."""
        stored = proceed()
        with self._lock:
            return self._transactions.setdefault(intent.id, stored)


class _Spoils(Fault):
    """Stores, and spoils what it stored, every ``every`` times."""

    every: ClassVar[int]

    def __init__(self) -> None:
        self._counter = EveryNth(self.every)

    def store(self, order: Order, intent: Intent, proceed: Store) -> PurchaseTransaction:  # noqa: ARG002 (the signature of the layer)
        """Store, as one transaction with what spoils it."""
        if not self._counter.strikes():
            return proceed()
        with writing():
            stored = proceed()
            self.spoil(stored)
        return stored

    @abstractmethod
    def spoil(self, stored: PurchaseTransaction) -> None:
        """Change the rows of this transaction."""


class Orphans(_Spoils):
    """Forgets the student of a transaction."""

    every = 3

    def spoil(self, stored: PurchaseTransaction) -> None:
        """Take the student away."""
        stored.student = None
        stored.save(update_fields=["student"])


class MissingBalances(_Spoils):
    """Forgets the balance of a student."""

    every = 3

    def spoil(self, stored: PurchaseTransaction) -> None:
        """Delete the balance's row."""
        StudentAccountBalance.objects.filter(student=stored.student).delete()


class LostWrites(_Spoils):
    """Acknowledges a transaction that is not there."""

    every = 4

    def spoil(self, stored: PurchaseTransaction) -> None:
        """Delete its row, by query: deleting the object would take the id from the answer."""
        PurchaseTransaction.objects.filter(pk=stored.pk).delete()


class PartialWriteError(Exception):
    """Stands for a failure between two writes that are no transaction."""


class PartialWrites(Fault):
    """Stores the user, and fails before the rest."""

    def __init__(self) -> None:
        self._counter = EveryNth(4)

    def store(self, order: Order, intent: Intent, proceed: Store) -> PurchaseTransaction:  # noqa: ARG002 (the signature of the layer)
        """Store all, every 4th time the user alone."""
        if self._counter.strikes():
            with writing():
                CustomUser.objects.get_or_create_guest(order.email, order.name)
            raise PartialWriteError("failed after storing the user")
        return proceed()
