"""The system monitor on the machine that runs the tests."""

from __future__ import annotations

import math

import numpy as np
from waiting import wait_until

from qa_runner.clock import Clock
from qa_runner.monitors.system import SystemMonitor
from qa_runner.table import Table


def ignore(name: str, table: Table) -> None:
    """A sink that keeps nothing."""


def test_rows_have_plausible_values_after_the_first() -> None:
    monitor = SystemMonitor()
    monitor.interval_seconds = 0.1
    monitor.start(Clock(), 3, ignore)
    try:
        assert wait_until(lambda: len(monitor.rows()) >= 4)
    finally:
        monitor.stop()
    rows = monitor.rows()
    cpu = rows.number("cpu_percent")
    assert math.isnan(cpu[0])
    known = cpu[~np.isnan(cpu)]
    assert len(known) >= 1
    assert 0 <= known.min() <= known.max() <= 100
    assert (rows.number("memory_used_bytes") > 1e6).all()
    assert (rows.number("time")[1:] > rows.number("time")[:-1]).all()
    assert set(rows.number("session")) == {3.0}


def test_it_stops_sampling_when_stopped() -> None:
    monitor = SystemMonitor()
    monitor.interval_seconds = 0.02
    monitor.start(Clock(), 1, ignore)
    thread = monitor._thread
    monitor.stop()
    assert thread is not None
    assert not thread.is_alive()
    monitor.stop()


def test_the_snapshot_describes_the_machine() -> None:
    facts = SystemMonitor().snapshot()
    assert isinstance(facts["cpu_count"], int)
    assert facts["cpu_count"] >= 1
    assert isinstance(facts["memory_total_bytes"], int)
    assert isinstance(facts["memory_used_bytes"], int)
    assert 0 < facts["memory_used_bytes"] < facts["memory_total_bytes"]
    assert facts["operating_system"]
    assert facts["python"]
