"""The app ``finances``."""

from __future__ import annotations

from django.apps import AppConfig

from qa_runner.demo.faults import names


class FinancesConfig(AppConfig):
    """Plans, purchases and balances."""

    name = "qa_runner.demo.finances"
    label = "finances"

    def ready(self) -> None:
        """Slow the database down where that fault is on, for the probe as for the server."""
        if "slow-database" in names.active():
            from qa_runner.demo.faults.database import SlowDatabase  # noqa: PLC0415 (uses the models)

            SlowDatabase().prepare()
