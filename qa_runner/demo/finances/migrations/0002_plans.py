"""The plans on sale."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

_PLANS = (
    (1, "10 hours", "Ten hours of lessons, one to one", 10, Decimal("250.00")),
    (2, "20 hours", "Twenty hours of lessons, one to one", 20, Decimal("460.00")),
    (3, "40 hours", "Forty hours of lessons, one to one", 40, Decimal("840.00")),
)


def create_plans(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Insert the plans, with fixed ids: clients refer to plan 1."""
    manager = apps.get_model("finances", "PricingPlan")._default_manager  # noqa: SLF001 (public in Django)
    for pk, name, description, hours, price in _PLANS:
        manager.using(schema_editor.connection.alias).create(
            pk=pk, name=name, description=description, hours=hours, price=price
        )


class Migration(migrations.Migration):
    """Seed PricingPlan."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("finances", "0001_initial")]
    operations: ClassVar[list[Operation]] = [
        migrations.RunPython(create_plans, migrations.RunPython.noop)
    ]
