"""Faults of the server and its answers: each acts, and the same requests without it do not."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

PATH = "/finances/api/purchase/initiate/"
TRANSACTIONS = "finances_purchasetransaction"


def statuses(results: list[tuple[int, Any]]) -> list[int]:
    return [status for status, _ in results]


def answer(api: Any, name: str) -> tuple[int, bytes, Any]:
    """Status, body and headers, whatever the body is."""
    order = {"plan_id": 1, "student_info": {"name": "A", "email": f"{name}@example.com"}}
    connection = HTTPConnection("127.0.0.1", api.target.port, timeout=30)
    try:
        connection.request("POST", PATH, json.dumps(order))
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def test_rate_limit(start: Any) -> None:
    api = start("rate-limit")
    assert Counter(statuses(api.buy_at_once(15))) == {201: 10, 429: 5}
    status, body, headers = answer(api, "late")
    assert status == 429
    assert 3500 < int(headers["Retry-After"]) <= 3600
    assert json.loads(body)["success"] is False
    assert api.count(TRANSACTIONS) == 10
    assert sum("Too Many Requests: " + PATH in line for line in api.log()) == 6


def test_garbage(start: Any) -> None:
    api = start("garbage")
    answers = [answer(api, f"g{i}") for i in range(10)]
    assert [status for status, _, _ in answers] == [201, 201, 201, 500, 201] * 2
    struck = [answers[i] for i in (1, 3, 6, 8)]
    for _, body, _ in struck:
        assert b"<script>" in body
        assert b"\x1b[31m" in body
        assert len(body) > 100_000
        assert body.decode("utf-8", "replace") != body.decode("utf-8", "ignore")
    assert api.count(TRANSACTIONS) == 6
    assert len(api.errors()) == 2


def test_unlogged_errors(start: Any) -> None:
    api = start("unlogged-errors")
    results = api.buy_in_a_row(10)
    assert statuses(results) == [201, 500, 201, 500, 201] * 2
    assert results[1][1]["success"] is False
    assert api.errors() == []


def test_degradation(start: Any) -> None:
    api = start("degradation")
    times = []
    for i in range(9):
        began = time.monotonic()
        assert api.buy(f"d{i}@example.com")[0] == 201
        times.append(time.monotonic() - began)
    # Each waits at least that long: sleeping is never too short.
    assert all(took >= 0.05 * (i + 1) for i, took in enumerate(times))


def test_slow_recovery(start: Any) -> None:
    api = start("slow-recovery")
    assert statuses(api.buy_in_a_row(20)) == [201] * 20
    assert not lasts_longer_than(2.2, lambda: api.buy("before@example.com"))
    assert statuses(api.buy_at_once(100)) == [201] * 100
    assert lasts_longer_than(2.2, lambda: api.buy("after@example.com"))
    assert api.errors() == []


def lasts_longer_than(seconds: float, action: Callable[[], object]) -> bool:
    began = time.monotonic()
    action()
    return time.monotonic() - began >= seconds


def test_slow_provider(start: Any) -> None:
    api = start("slow-provider")
    assert lasts_longer_than(3.3, lambda: api.buy_at_once(3))
    warnings = [line for line in api.log() if "WARNING purchase_api.provider" in line]
    assert len(warnings) == 3
    assert api.errors() == []


def test_cpu_burn(start: Any, api: Any, eventually: Any) -> None:
    def used(server: Any) -> float:
        times = server.server().cpu_times()
        return float(times.user + times.system)

    burning = start("cpu-burn")
    before = used(burning)
    assert statuses(burning.buy_in_a_row(2)) == [201] * 2
    # What is left behind is done when the requests are long over.
    assert eventually(lambda: used(burning) - before >= 1.9)
    before = used(api)
    assert statuses(api.buy_in_a_row(3)) == [201] * 3
    assert used(api) - before < 1


def test_memory_plateau(start: Any) -> None:
    api = start("memory-plateau")
    before = api.server().memory_info().rss
    api.buy_in_a_row(1, "first")
    assert 50e6 < api.server().memory_info().rss - before < 80e6
    api.buy_in_a_row(3, "others")
    plateau = api.server().memory_info().rss
    assert plateau - before > 200e6
    api.buy_in_a_row(10, "later")
    assert api.server().memory_info().rss - plateau < 20e6


def test_memory_swings(start: Any) -> None:
    api = start("memory-swings")
    server = api.server()
    end = time.monotonic() + 3
    readings = []
    while time.monotonic() < end:
        readings.append(server.memory_info().rss)
        time.sleep(0.05)
    later = readings[len(readings) // 2 :]
    assert 6e6 < max(later) - min(later) < 20e6
