"""Faults of the way transactions are used."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection, transaction

from qa_runner.demo.accounts.models import CustomUser
from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.finances.models import PricingPlan
from qa_runner.demo.finances.orders import Order
from qa_runner.demo.finances.provider import create_intent
from qa_runner.demo.finances.purchases import Purchase, store

__all__ = ["Lock"]


class Lock(Fault):
    """Reads, calls the provider and writes, all in one transaction.

    SQLite then takes the write lock when the first row is written. If anybody else has written
    since the transaction read, that fails at once with "database is locked", whatever the
    timeout. settings.py leaves transactions deferred when this fault is on.

    PostgreSQL would let all of them through. There the plan is locked to be read, as many do to
    be on the safe side: one purchase at a time, and those that wait for too long fail.
    """

    provider_delay_seconds = 0.25
    lock_timeout = "1s"

    def purchase(self, order: Order, proceed: Callable[[], Purchase]) -> Purchase:  # noqa: ARG002 (replaced)
        """The purchase, in the wrong order."""
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT set_config('lock_timeout', %s, true)", [self.lock_timeout]
                    )
                PricingPlan.objects.select_for_update().get(pk=order.plan.pk)
            CustomUser.objects.filter(email=order.email).exists()
            # As long as simultaneous requests take to get here, on a busy machine too.
            time.sleep(self.provider_delay_seconds)
            intent = create_intent()
            return Purchase(store(order, intent), intent)
