"""The app ``finances``."""

from __future__ import annotations

from django.apps import AppConfig


class FinancesConfig(AppConfig):
    """Plans, purchases and balances."""

    name = "qa_runner.demo.finances"
    label = "finances"
