"""All monitors together on the embedded target."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from waiting import wait_until

from qa_runner.clock import Clock
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.log import LogMonitor
from qa_runner.monitors.process import ServerMonitor
from qa_runner.table import Table
from qa_runner.targets.embedded import EmbeddedTarget

MODELS = {
    "transactions": "finances.PurchaseTransaction",
    "users": "accounts.CustomUser",
    "balances": "finances.StudentAccountBalance",
}


def ignore(name: str, table: Table) -> None:
    """A sink that keeps nothing."""


def purchase(url: str, email: str) -> int:
    body = {"plan_id": 1, "student_info": {"name": "Ada", "email": email}}
    request = urllib.request.Request(  # noqa: S310 (a loopback address)
        f"{url}/finances/api/purchase/initiate/",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 (as above)
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_purchases_are_seen_by_probe_and_server_monitor(tmp_path: Path) -> None:
    with EmbeddedTarget(tmp_path) as target:
        assert target.project is not None
        clock = Clock()
        server = ServerMonitor(target.port, database=tmp_path / "database.sqlite3")
        probe = DatabaseProbe(target.project, MODELS, "stripe_payment_intent_id")
        try:
            server.start(clock, 1, ignore)
            probe.start(clock, 1, ignore)
            for number in range(3):
                assert purchase(target.url, f"ada{number}-qa5@example.org") == 201
            read = probe.read_now()
            found = probe.integrity("qa5")
            removed = probe.cleanup("qa5")
            after = probe.read_now()
            server.sample_now()
            rows = server.rows()
        finally:
            probe.stop()
            server.stop()
    assert (read.transactions_added, read.users_added, read.balances_added) == (3, 3, 3)
    assert len(found.stored) == 3
    assert not found.users_without_balance
    assert not found.users_without_transaction
    assert not found.duplicate_intents
    assert found.whole.problems == ()
    assert (removed.transactions, removed.balances, removed.users) == (3, 3, 3)
    assert after.transactions_added == 0
    assert rows.number("workers")[-1] == 1
    assert rows.number("rss_bytes")[-1] > 10_000_000
    assert rows.number("database_handles")[-1] >= 0
    assert rows.number("restarts")[-1] == 0


def test_server_errors_of_the_target_are_in_its_log(tmp_path: Path) -> None:
    with EmbeddedTarget(tmp_path, faults=["errors"]) as target:
        assert target.log_path is not None
        log = LogMonitor(target.log_path, tag="qa5")
        log.start(Clock(), 1, ignore)
        try:
            statuses = [purchase(target.url, f"ada{n}-qa5@example.org") for n in range(40)]
            errors = sum(status >= 500 for status in statuses)
            assert errors > 0
            assert wait_until(lambda: _errors(log) >= errors)
        finally:
            log.stop()
    assert all("Traceback" not in text for text in log.rows().text("text"))


def test_a_process_of_the_target_that_really_ends_is_one_restart(tmp_path: Path) -> None:
    def answered(number: int) -> bool:
        try:
            return purchase(target.url, f"ada{number}-qa5@example.org") > 0
        except OSError:
            return False

    with EmbeddedTarget(tmp_path, faults=["restart"]) as target, ThreadPoolExecutor(20) as pool:
        server = ServerMonitor(target.port)
        server.start(Clock(), 1, ignore)
        try:
            # It ends in a burst, but not within seconds of its start.
            assert wait_until(lambda: not all(pool.map(answered, range(60))), 60)
            assert wait_until(lambda: answered(0))
            server.sample_now()
            rows = server.rows()
        finally:
            server.stop()
    assert rows.number("restarts")[-1] == 1
    assert rows.text("pids")[-1] != rows.text("pids")[0]
    assert rows.number("processes")[-1] == 1
    assert np.nanmax(rows.number("cpu_percent")) < 400


def _errors(log: LogMonitor) -> int:
    log.sample_now()
    return sum(level in {"ERROR", "CRITICAL"} for level in log.rows().text("level"))
