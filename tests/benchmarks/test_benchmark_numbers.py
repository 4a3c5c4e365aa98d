"""From what was watched to numbers: steady middles and lateness."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.measure import lateness_seconds
from benchmarks.watch import GENERATOR, MAIN, Snapshot, busy_until, steady


def watched(served: list[int], *, cpu_per_request: float = 1e-5) -> list[Snapshot]:
    return [
        Snapshot(
            10 + index / 10,
            count,
            {MAIN: 1.0 + count * cpu_per_request / 4, GENERATOR: count * cpu_per_request},
            {},
        )
        for index, count in enumerate(served)
    ]


def test_steady_leaves_out_start_up_warm_up_and_end() -> None:
    # Two idle looks, one of ramping up, then 100 a look, then a slow tail and idleness.
    served = [0, 0, 5] + [5 + 100 * step for step in range(1, 21)] + [2006, 2006, 2006]
    middle = steady(watched(served))
    assert middle is not None
    assert middle.requests_per_second == pytest.approx(1000)
    assert middle.cpu_seconds_per_request[GENERATOR] == pytest.approx(1e-5)
    assert middle.cpu_seconds_per_request[MAIN] == pytest.approx(0.25e-5)
    assert busy_until(watched(served)) == pytest.approx(12.2)


def test_steady_of_too_little_is_nothing() -> None:
    assert steady([]) is None
    assert steady(watched([0, 0, 0])) is None
    assert steady(watched([0, 100, 200])) is None
    assert busy_until(watched([0, 0])) is None


def test_lateness_of_an_even_load_is_none_whatever_the_way_takes() -> None:
    arrivals = (5_000_000_000 + np.arange(1000) * 2_000_000).astype(np.int64)
    assert lateness_seconds(arrivals, 500).max() == pytest.approx(0, abs=1e-9)


def test_lateness_of_one_that_was_held_up() -> None:
    arrivals = (np.arange(100) * 10_000_000).astype(np.int64)
    arrivals[40] += 7_000_000
    late = lateness_seconds(arrivals[::-1], 100)
    assert late[40] == pytest.approx(0.007)
    assert np.delete(late, 40).max() == pytest.approx(0, abs=1e-9)


def test_a_load_that_is_too_slow_gets_later_and_later() -> None:
    arrivals = (np.arange(101) * 20_000_000).astype(np.int64)
    assert lateness_seconds(arrivals, 100)[-1] == pytest.approx(1.0)


def test_a_first_request_that_is_late_is_seen() -> None:
    arrivals = (np.arange(50) * 10_000_000).astype(np.int64)
    arrivals[0] += 4_000_000
    assert lateness_seconds(arrivals, 100)[0] == pytest.approx(0.004)
