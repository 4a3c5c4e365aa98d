"""Where faults act: the layers of a request, from the view down to the rows.

Each function runs one layer of a request, wrapped in the faults that are active; without any it
just calls ``proceed``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Importing these for real would need Django's models before Django is set up.
    from django.http import HttpResponseBase

    from qa_runner.demo.finances.models import PurchaseTransaction
    from qa_runner.demo.finances.orders import Order
    from qa_runner.demo.finances.provider import Intent
    from qa_runner.demo.finances.purchases import Purchase

__all__ = ["Fault", "activate", "charge", "handle", "purchase", "store"]


class Fault:
    """A fault overrides the layer that it spoils. Requests run at once: counters need locks."""

    def prepare(self) -> None:
        """Called once, after the migrations and before the server accepts requests."""

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """The view: a POST to its answer."""
        return proceed()

    def purchase(self, order: Order, proceed: Callable[[], Purchase]) -> Purchase:  # noqa: ARG002 (for overriding)
        """The order of things: payment, then storage."""
        return proceed()

    def charge(self, proceed: Callable[[], Intent]) -> Intent:
        """The payment provider."""
        return proceed()

    def store(
        self,
        order: Order,  # noqa: ARG002 (for overriding)
        intent: Intent,  # noqa: ARG002 (for overriding)
        proceed: Callable[[], PurchaseTransaction],
    ) -> PurchaseTransaction:
        """The rows; ``proceed`` is a transaction of its own."""
        return proceed()


_active: list[Fault] = []


def activate(faults: Iterable[Fault]) -> None:
    """Let these faults act from now on, and prepare them."""
    for fault in faults:
        fault.prepare()
        _active.append(fault)


def handle(proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Run the view."""
    for fault in _active:
        proceed = partial(fault.handle, proceed)
    return proceed()


def purchase(order: Order, proceed: Callable[[], Purchase]) -> Purchase:
    """Run a purchase."""
    for fault in _active:
        proceed = partial(fault.purchase, order, proceed)
    return proceed()


def charge(proceed: Callable[[], Intent]) -> Intent:
    """Call the payment provider."""
    for fault in _active:
        proceed = partial(fault.charge, proceed)
    return proceed()


def store(
    order: Order, intent: Intent, proceed: Callable[[], PurchaseTransaction]
) -> PurchaseTransaction:
    """Store the rows."""
    for fault in _active:
        proceed = partial(fault.store, order, intent, proceed)
    return proceed()
