"""A fault of the database's constraints."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import EveryNth
from qa_runner.demo.finances.models import PricingPlan, PurchaseTransaction
from qa_runner.demo.finances.orders import Order
from qa_runner.demo.finances.provider import Intent
from qa_runner.demo.finances.purchases import writing

__all__ = ["BrokenReferences"]


class BrokenReferences(Fault):
    """Writes past a foreign key, as imports and repairs by hand do.

    SQLite lets it be switched off. PostgreSQL does not: there it is dropped and put back without
    a look at the rows, so that it stands as not validated.
    """

    no_plan = 0

    def __init__(self) -> None:
        self._counter = EveryNth(4)

    def store(
        self,
        order: Order,  # noqa: ARG002 (the signature of the layer)
        intent: Intent,  # noqa: ARG002 (the signature of the layer)
        proceed: Callable[[], PurchaseTransaction],
    ) -> PurchaseTransaction:
        """Store, every 4th time with a plan that there is not."""
        if not self._counter.strikes():
            return proceed()
        if connection.vendor == "postgresql":
            return self._without_key(proceed)
        # Outside the transaction: within one SQLite does not switch them off.
        with connection.constraint_checks_disabled(), writing():
            return self._broken(proceed)

    def _broken(self, proceed: Callable[[], PurchaseTransaction]) -> PurchaseTransaction:
        stored = proceed()
        PurchaseTransaction.objects.filter(pk=stored.pk).update(plan_id=self.no_plan)
        return stored

    def _without_key(self, proceed: Callable[[], PurchaseTransaction]) -> PurchaseTransaction:
        table = PurchaseTransaction._meta.db_table  # noqa: SLF001 (public in Django)
        plans = PricingPlan._meta.db_table  # noqa: SLF001
        with writing(), connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, table)
            name = next(n for n, c in constraints.items() if c["foreign_key"] == (plans, "id"))
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            stored = self._broken(proceed)
            # A table cannot be altered while checks of its rows are put off.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (plan_id) "
                f"REFERENCES {plans} (id) DEFERRABLE INITIALLY DEFERRED NOT VALID"
            )
        return stored
