"""The app ``accounts``."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users."""

    name = "qa_runner.demo.accounts"
    label = "accounts"
