"""What the run at a glance marks: ends of processes, loads cut off, recovery, an early end."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from report.run_factory import Factory, killed, plans, whole

from qa_runner.report.figures import draw_all
from qa_runner.report.source import Source
from qa_runner.store import RunReader
from qa_runner.table import SERIES, Table


def glance_of(folder: Path) -> tuple[str, str]:
    """Its words, and its SVG."""
    glance = draw_all(Source(RunReader(folder))).timeline
    return glance.caption.description, glance.svg


def test_a_quiet_run_has_no_marks_but_its_recovery(tmp_path: Path) -> None:
    said, svg = glance_of(whole(tmp_path / "run", scale=0.02))
    assert said.endswith("Marked: recovered.")
    assert ">recovered</text>" in svg
    assert "; dashed: the limits</text>" in svg


def test_restarts_and_loads_cut_off_are_marked(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    step = factory.step(4, [plan for plan in plans(scale=0.1) if plan.part == "4.1"], series=False)
    time = np.arange(0.0, 400.0, 1.0)
    factory.writer.append_series(
        "server",
        Table(
            SERIES["server"],
            {
                "session": np.ones(time.size),
                "time": time,
                "rss_bytes": np.full(time.size, 9e7),
                # The last is after the step: the target is shut down.
                "restarts": (time > 20) * 1.0 + (time > 40) + (time > 300),
            },
        ),
    )
    part = step.attempts[0].parts[0]
    part.loads = [msgspec.structs.replace(load, stop_reason="error budget") for load in part.loads]
    said, svg = glance_of(factory.write())
    assert said.endswith("Marked: server process ended (2 times), load cut off.")
    assert svg.count(">server process ended</text>") == 2
    assert svg.count(">load cut off</text>") == 1


def test_an_early_end_is_marked(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="interrupted", stop_reason="by Ctrl-C")
    killed(factory, 2, [plan for plan in plans() if plan.part == "2.1"])
    said, svg = glance_of(factory.write())
    assert said.endswith("Marked: interrupted.")
    assert ">interrupted</text>" in svg


def test_waits_for_locks_are_drawn(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    time = np.arange(1.0, 10.0)
    waiting = {"session": np.ones(9), "time": time, "connections": np.full(9, 12.0)}
    factory.writer.append_series(
        "database", Table(SERIES["database"], waiting | {"sessions_waiting": time % 3})
    )
    _, svg = glance_of(factory.write())
    assert "sessions waiting for a lock (dotted)</text>" in svg
    assert 'data-series="sessions waiting for a lock"' in svg
