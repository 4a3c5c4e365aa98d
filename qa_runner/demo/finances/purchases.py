"""Purchases: pay, then store, so that no transaction is open while the provider thinks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.db import connection, transaction

from qa_runner.demo.accounts.models import CustomUser
from qa_runner.demo.faults import chain
from qa_runner.demo.finances.models import PurchaseTransaction, StudentAccountBalance
from qa_runner.demo.finances.orders import Order
from qa_runner.demo.finances.provider import Intent, create_intent

__all__ = ["Purchase", "initiate", "store", "writing"]

_turn = threading.RLock()
_few = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase that was begun and stored."""

    transaction: PurchaseTransaction
    intent: Intent


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes.

    SQLite has one writer at a time and lets the others poll for their turn, the unlucky ones for
    seconds. Threads that wait for it here, before the database is asked, get it without delay.
    PostgreSQL has as many as one likes; more of them than the interpreter can serve at a time
    would only have each of them take longer.
    """
    with _queue(), transaction.atomic():
        yield


def _queue() -> AbstractContextManager[object]:
    if connection.vendor == "sqlite":
        return _turn
    return contextlib.nullcontext() if connection.in_atomic_block else _few


def initiate(order: Order) -> Purchase:
    """Announce the payment and store the purchase."""
    return chain.purchase(order, lambda: _initiate(order))


def _initiate(order: Order) -> Purchase:
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        # Others may have it from the pool while the provider thinks.
        connection.close()
    intent = create_intent()
    return Purchase(store(order, intent), intent)


def store(order: Order, intent: Intent) -> PurchaseTransaction:
    """Store the user and the balance, where they are new, and the transaction; all or nothing."""
    return chain.store(order, intent, lambda: _store(order, intent))


def _store(order: Order, intent: Intent) -> PurchaseTransaction:
    with writing():
        student, _ = CustomUser.objects.get_or_create_guest(order.email, order.name)
        StudentAccountBalance.objects.get_or_create(student=student)
        return PurchaseTransaction.objects.create(
            student=student,
            plan=order.plan,
            amount=order.plan.price,
            stripe_payment_intent_id=intent.id,
        )
