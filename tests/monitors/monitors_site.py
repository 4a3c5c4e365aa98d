"""The small Django project of these tests, over one database file."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.project import DjangoProject

FOLDER = Path(__file__).parent / "project"
# Another interpreter, to try the probe with an older Python and Django.
PYTHON = os.environ.get("SITE_PYTHON", sys.executable)
MODELS = {"transactions": "shop.Order", "users": "people.Learner", "balances": "wallet.Purse"}

MIGRATE = """
import django
django.setup()
from django.core.management import call_command
# First what the tables of the apps without migrations refer to.
call_command("migrate", "auth", verbosity=0)
call_command("migrate", run_syncdb=True, verbosity=0)
"""


@dataclass
class Site:
    """The project over one database file."""

    database: Path

    def project(self, **environment: str) -> DjangoProject:
        return DjangoProject(
            interpreter=PYTHON,
            settings_module="site_settings",
            python_path=(str(FOLDER),),
            environment={"SITE_DATABASE": str(self.database), **environment},
        )

    def execute(self, statement: str, *values: object) -> int:
        """Run a statement on the database itself; the key of the row it added."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(statement, values).lastrowid or 0

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    def add_user(self, email: str) -> int:
        return self.execute(
            "INSERT INTO people_learner (password, is_superuser, contact) VALUES ('', 0, ?)", email
        )

    def add_purse(self, user: int) -> int:
        return self.execute("INSERT INTO wallet_purse (holder_id, lessons) VALUES (?, 5)", user)

    def add_order(self, user: int | None, intent: str, *, hidden: bool = False) -> int:
        return self.execute(
            "INSERT INTO shop_order (buyer_id, payment_ref, hidden) VALUES (?, ?, ?)",
            user,
            intent,
            hidden,
        )

    def add_purchase(self, email: str, intent: str) -> int:
        """All that a correct purchase leaves; the key of the order."""
        user = self.add_user(email)
        self.add_purse(user)
        return self.add_order(user, intent)

    def probe(self, **environment: str) -> DatabaseProbe:
        return DatabaseProbe(self.project(**environment), MODELS, "payment_ref")
