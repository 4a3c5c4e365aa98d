"""Each fault acts in the layer it names; without it the same requests leave no trace of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from qa_runner.targets.faults import FAULTS

TRANSACTIONS = "finances_purchasetransaction"


def statuses(results: list[tuple[int, Any]]) -> list[int]:
    return [status for status, _ in results]


def test_without_faults_nothing_is_wrong(api: Any) -> None:
    rss = api.server().memory_info().rss
    results = api.buy_in_a_row(20)
    assert statuses(results) == [201] * 20
    assert api.count(TRANSACTIONS) == api.count("accounts_customuser") == 20
    assert api.count("finances_studentaccountbalance") == 20
    assert api.count(TRANSACTIONS, "student_id IS NULL") == 0
    intents = {answer["payment_intent_id"] for _, answer in results}
    assert len(intents) == 20
    assert api.server().memory_info().rss - rss < 10e6
    assert api.errors() == []


def test_slow(start: Any) -> None:
    api = start("slow")
    started = time.monotonic()
    results = api.buy_at_once(10)
    assert statuses(results) == [201] * 10
    assert time.monotonic() - started >= 2.5
    assert time.monotonic() - started < 15  # at once, not one after the other
    assert any("WARNING purchase_api.provider" in line for line in api.log())


def test_errors(start: Any) -> None:
    api = start("errors")
    results = api.buy_in_a_row(10)
    assert statuses(results) == [201, 500, 201, 500, 201] * 2
    assert results[1][1] == {"success": False, "errors": {"server": ["internal server error"]}}
    assert api.count(TRANSACTIONS) == 6
    assert len(api.errors()) == 4
    assert all("ApplicationError: " in line for line in api.errors())


def test_timeouts_hang_without_holding_up_the_others_or_the_end(start: Any) -> None:
    api = start("timeouts")
    results = api.buy_at_once(50, seconds=4)
    assert Counter(statuses(results)) == {201: 30, 0: 20}
    assert api.count(TRANSACTIONS) == 30
    assert statuses(api.buy_in_a_row(1)) == [201]
    server = api.server()
    server.terminate()
    server.wait(10)


def test_lock(start: Any) -> None:
    api = start("lock")
    assert statuses(api.buy_in_a_row(3)) == [201] * 3
    for burst in range(3):
        failed = [status for status in statuses(api.buy_at_once(5, f"b{burst}-")) if status != 201]
        assert failed
        assert set(failed) == {500}
    assert api.errors()
    assert all(line.endswith("OperationalError: database is locked") for line in api.errors())
    # The failed ones are rolled back whole.
    assert api.count("accounts_customuser") == api.count(TRANSACTIONS)


def test_leak(start: Any) -> None:
    api = start("leak")
    api.buy_in_a_row(1)
    before = api.server().memory_info().rss
    api.buy_in_a_row(30)
    assert 28e6 < api.server().memory_info().rss - before < 60e6


def test_duplicates(start: Any) -> None:
    api = start("duplicates")
    results = api.buy_in_a_row(10)
    assert statuses(results) == [201] * 10
    ids = [answer["transaction_id"] for _, answer in results]
    assert ids[0::2] == ids[1::2]
    assert len(set(ids)) == 5
    twice = api.rows(
        "SELECT stripe_payment_intent_id FROM finances_purchasetransaction "
        "GROUP BY stripe_payment_intent_id HAVING COUNT(*) = 2"
    )
    assert {intent for (intent,) in twice} == {a["payment_intent_id"] for _, a in results}
    assert api.count(TRANSACTIONS) == 10
    assert api.rows("PRAGMA quick_check") == [("ok",)]


def test_duplicates_at_once(start: Any) -> None:
    api = start("duplicates")
    results = api.buy_at_once(20)
    assert statuses(results) == [201] * 20
    assert len({answer["transaction_id"] for _, answer in results}) < 20


def test_orphans(start: Any) -> None:
    api = start("orphans")
    assert statuses(api.buy_at_once(9)) == [201] * 9
    assert api.count(TRANSACTIONS) == 9
    assert api.count(TRANSACTIONS, "student_id IS NULL") == 3


def test_lost_writes(start: Any) -> None:
    api = start("lost-writes")
    results = api.buy_at_once(8)
    assert statuses(results) == [201] * 8
    acknowledged = {answer["transaction_id"] for _, answer in results}
    stored = {row for (row,) in api.rows("SELECT id FROM finances_purchasetransaction")}
    assert len(acknowledged) == 8
    assert len(stored) == 6
    assert stored < acknowledged


def test_partial_writes(start: Any) -> None:
    api = start("partial-writes")
    assert Counter(statuses(api.buy_at_once(8))) == {201: 6, 500: 2}
    assert api.count("accounts_customuser") == 8
    assert api.count(TRANSACTIONS) == api.count("finances_studentaccountbalance") == 6
    assert len(api.errors()) == 2
    assert all("PartialWriteError: " in line for line in api.errors())


def test_restart(start: Any, eventually: Any) -> None:
    api = start("restart")
    first = api.server()
    assert statuses(api.buy_in_a_row(40)) == [201] * 40
    assert api.server() == first
    time.sleep(max(0.0, first.create_time() + 5 - time.time()))
    results = api.buy_at_once(50)
    assert 0 in statuses(results)
    assert eventually(lambda: not first.is_running())
    assert eventually(lambda: api.buy("after@example.com")[0] == 201)
    assert api.server() != first
    assert any("exit code 3" in line for line in api.errors())


def test_faults_combine(start: Any) -> None:
    api = start("orphans", "duplicates", "lost-writes")
    results = api.buy_at_once(12)
    assert statuses(results) == [201] * 12
    assert api.count(TRANSACTIONS, "student_id IS NULL") > 0
    assert api.count(TRANSACTIONS) == 9


def test_faults_are_described() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "qa_runner.demo", "faults"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    described = json.loads(listed.stdout)
    assert tuple(described) == FAULTS
    assert all(described.values())
