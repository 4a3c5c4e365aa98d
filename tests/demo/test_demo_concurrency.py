"""Without faults the API holds under load, and leaves nothing behind."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any


def test_a_burst_of_50_succeeds_and_every_row_is_there(api: Any) -> None:
    before = api.count("finances_purchasetransaction")
    results = api.buy_at_once(50)
    assert Counter(status for status, _ in results) == {201: 50}
    ids = {answer["transaction_id"] for _, answer in results}
    assert len(ids) == len({answer["payment_intent_id"] for _, answer in results}) == 50
    assert api.count("finances_purchasetransaction") == before + 50
    listed = ",".join(map(str, ids))
    assert api.count("finances_purchasetransaction", f"id IN ({listed})") == 50
    assert api.rows("PRAGMA quick_check") == [("ok",)]
    assert api.rows("PRAGMA foreign_key_check") == []
    assert api.errors() == []


def test_a_burst_with_one_email_creates_one_user(api: Any) -> None:
    results: list[int] = []

    def one() -> None:
        results.append(api.buy("together@example.com")[0])

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [201] * 10
    assert api.count("accounts_customuser", "email = 'together@example.com'") == 1


def test_virtual_users_are_served_evenly(api: Any) -> None:
    times: list[float] = []
    statuses: Counter[int] = Counter()
    end = time.monotonic() + 3

    def user(number: int) -> None:
        i = 0
        while time.monotonic() < end:
            i += 1
            started = time.monotonic()
            status, _ = api.buy(f"user{number}-{i}@example.com")
            times.append(time.monotonic() - started)
            statuses[status] += 1

    threads = [threading.Thread(target=user, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {201}
    assert len(times) > 60
    assert max(times) < 10
    assert api.errors() == []


def test_no_database_file_stays_open_when_idle(api: Any, eventually: Any) -> None:
    api.buy_at_once(20, "handles")
    server = api.server()

    def closed() -> bool:
        return not any("database.sqlite3" in file.path for file in server.open_files())

    assert eventually(closed)


def test_the_database_is_in_write_ahead_mode_and_migrated(api: Any) -> None:
    assert api.rows("PRAGMA journal_mode") == [("wal",)]
    plans = api.rows("SELECT id, hours FROM finances_pricingplan ORDER BY id")
    assert plans == [(1, 10), (2, 20), (3, 40)]
