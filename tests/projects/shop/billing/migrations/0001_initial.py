"""Packages, payments, wallets; and the one package that is on sale."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def add_package(apps, schema_editor):
    """Put the package on sale."""
    apps.get_model("billing", "Package").objects.create(title="Ten hours", hours=10, cents=24900)


def _key():
    return (
        "id",
        models.BigAutoField(
            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
        ),
    )


class Migration(migrations.Migration):
    """The first tables."""

    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="Package",
            fields=[
                _key(),
                ("title", models.CharField(max_length=100)),
                ("hours", models.PositiveIntegerField()),
                ("cents", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                _key(),
                ("provider_reference", models.CharField(max_length=80, unique=True)),
                ("begun", models.DateTimeField(auto_now_add=True)),
                (
                    "package",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.package",
                    ),
                ),
                (
                    "payer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="payments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Wallet",
            fields=[
                _key(),
                ("hours", models.PositiveIntegerField(default=0)),
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="wallet",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunPython(add_package, migrations.RunPython.noop),
    ]
