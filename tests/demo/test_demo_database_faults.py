"""Faults of rows and database: each acts in the layer it names, and leaves the traces it would."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

TRANSACTIONS = "finances_purchasetransaction"


def statuses(results: list[tuple[int, Any]]) -> list[int]:
    return [status for status, _ in results]


def handles(api: Any) -> int:
    """How often the server has the database's file open."""
    name = str((api.folder / "database.sqlite3").resolve())
    return sum(file.path == name for file in api.server().open_files())


def test_connection_leak(start: Any, api: Any, eventually: Any) -> None:
    leaking = start("connection-leak")
    assert statuses(leaking.buy_at_once(20)) == [201] * 20
    assert eventually(lambda: handles(leaking) == 4)
    assert statuses(leaking.buy_at_once(20, "more")) == [201] * 20
    assert eventually(lambda: handles(leaking) == 8)
    assert statuses(api.buy_at_once(20)) == [201] * 20
    assert eventually(lambda: handles(api) == 0)


def test_missing_balances(start: Any) -> None:
    api = start("missing-balances")
    assert statuses(api.buy_at_once(9)) == [201] * 9
    assert api.count(TRANSACTIONS) == api.count("accounts_customuser") == 9
    assert api.count("finances_studentaccountbalance") == 6


def test_broken_references(start: Any) -> None:
    api = start("broken-references")
    assert statuses(api.buy_at_once(8)) == [201] * 8
    assert api.count(TRANSACTIONS) == 8
    broken = api.rows("PRAGMA foreign_key_check")
    assert [(table, parent) for table, _, parent, _ in broken] == [
        (TRANSACTIONS, "finances_pricingplan")
    ] * 2
    assert api.errors() == []


def test_the_database_fails_requests_that_write(start: Any) -> None:
    api = start("deadlocks", "database-timeouts")
    # What the second of them lets through is what the first counts.
    assert Counter(statuses(api.buy_at_once(10))) == {201: 7, 500: 3}
    assert Counter(line.split(": ", 2)[-1] for line in api.errors()) == {
        "OperationalError: canceling statement due to statement timeout": 2,
        "OperationalError: deadlock detected": 1,
    }
    assert api.count("accounts_customuser") == api.count(TRANSACTIONS) == 7


def test_n_plus_one(start: Any, api: Any) -> None:
    """The time of the last requests grows with the rows; measured by the server's own CPU."""
    asking = start("n-plus-one")

    def seconds(server: Any, count: int, name: str) -> float:
        before = sum(server.server().cpu_times()[:2])
        assert statuses(server.buy_in_a_row(count, name)) == [201] * count
        return sum(server.server().cpu_times()[:2]) - before

    for server in (asking, api):
        seconds(server, 5, "warm")
    fill = (
        f"INSERT INTO {TRANSACTIONS} (student_id, plan_id, amount, status, "  # noqa: S608 (a name)
        "stripe_payment_intent_id, created_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n WHERE i < 1500) SELECT NULL, 1, 1, 'pending', 'fill' || i, "
        "'2026-01-01' FROM n"
    )
    for server in (asking, api):
        server.write(fill)
    assert seconds(asking, 5, "late") > 2 * seconds(api, 5, "late")


def test_slow_database_is_slow_for_the_server_and_for_whoever_looks_into_the_project(
    start: Any, tmp_path: Path
) -> None:
    api = start("slow-database")
    began = time.monotonic()
    assert statuses(api.buy_in_a_row(3)) == [201] * 3
    assert time.monotonic() - began >= 3 * 0.15
    script = (
        "import django, time; django.setup()\n"
        "from qa_runner.demo.accounts.models import CustomUser\n"
        "from qa_runner.demo.finances.models import PricingPlan\n"
        "times = []\n"
        "for model in (PricingPlan, CustomUser):\n"
        "    began = time.monotonic(); model.objects.filter(pk=1).first()\n"
        "    times.append(time.monotonic() - began)\n"
        "assert times[1] >= 0.15, times\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "qa_runner.demo.settings",
        "QA_RUNNER_DEMO_DATABASE": str(api.folder / "database.sqlite3"),
        "QA_RUNNER_DEMO_FAULTS": "slow-database",
    }
    subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, timeout=60, cwd=tmp_path
    )
