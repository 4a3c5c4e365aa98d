"""Faults whose traces are PostgreSQL's own: its sessions, its statistics, its constraints."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from qa_runner.targets.database_url import DatabaseUrl, parse_database_url
from qa_runner.targets.embedded import EmbeddedTarget


class Served:
    """An API on PostgreSQL, and questions to its database."""

    def __init__(self, api: Any, database: DatabaseUrl, cluster: Any) -> None:
        self.api = api
        self._database = database
        self._cluster = cluster
        self._names = (f"batch{number}-" for number in itertools.count())

    def statuses(self, count: int) -> Counter[int]:
        return Counter(status for status, _ in self.api.buy_at_once(count, next(self._names)))

    def ask(self, query: str) -> Any:
        with self._cluster.connect(self._database.name) as connection:
            return connection.execute(query).fetchone()[0]


@pytest.fixture
def serve(postgresql: Any, api_of: Any, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def start(*faults: str) -> Served:
            database = parse_database_url(postgresql.url())
            target = stack.enter_context(EmbeddedTarget(tmp_path, faults=faults, database=database))
            return Served(api_of(target, tmp_path), database, postgresql)

        yield start


def test_deadlocks_and_timeouts_are_real(serve: Any, eventually: Any) -> None:
    served = serve("deadlocks", "database-timeouts")
    assert served.statuses(10)[500] >= 2
    assert served.statuses(10)[500] >= 2
    errors = [line for line in served.api.errors() if "Internal Server Error" in line]
    assert any("deadlock detected" in line for line in errors)
    assert any("canceling statement due to statement timeout" in line for line in errors)
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert eventually(lambda: served.ask(counted) >= 1)
    assert served.ask("SELECT count(*) FROM finances_purchasetransaction") == 20 - len(errors)


def test_rows_connections_and_constraints(serve: Any) -> None:
    served = serve("missing-balances", "broken-references", "connection-leak", "n-plus-one")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    served.statuses(10)
    before = served.ask(sessions)
    assert served.statuses(30) == {201: 30}
    assert served.ask(sessions) - before >= 5
    assert served.ask("SELECT count(*) FROM finances_purchasetransaction WHERE plan_id = 0") == 10
    broken = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
    assert served.ask(broken) == 1
    lonely = (
        "SELECT count(*) FROM accounts_customuser u LEFT JOIN finances_studentaccountbalance b "
        "ON b.student_id = u.id WHERE b.id IS NULL"
    )
    assert served.ask(lonely) == 13


def test_rows_that_are_wrong(serve: Any) -> None:
    served = serve("duplicates", "orphans", "lost-writes", "partial-writes")
    # One after the other: which request meets which of four faults is then always the same.
    assert sum((served.statuses(1) for _ in range(12)), Counter()) == {201: 9, 500: 3}
    rows = "SELECT count(*) FROM finances_purchasetransaction"
    assert served.ask(rows) == 7
    assert served.ask(rows + " WHERE student_id IS NULL") >= 1
    intents = "SELECT count(DISTINCT stripe_payment_intent_id) FROM finances_purchasetransaction"
    assert served.ask(intents) < 7
    assert served.ask("SELECT count(*) FROM accounts_customuser") == 12


def test_slow_database(serve: Any) -> None:
    served = serve("slow-database")
    began = time.monotonic()
    assert served.statuses(1) == {201: 1}
    assert time.monotonic() - began >= 0.15
