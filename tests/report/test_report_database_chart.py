"""Sessions of the database that wait or idle in a transaction, in the figure of step 5."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_factory import Factory, plans, session

from qa_runner.report.charts.canvas import draw
from qa_runner.report.charts.database import paint
from qa_runner.report.source import Source
from qa_runner.store import RunReader
from qa_runner.table import SERIES, Table


@pytest.mark.parametrize(
    ("waiting", "idle", "named", "missing"),
    [
        (3.0, 1.0, ("waiting for a lock", "idle in a transaction"), ()),
        (3.0, 0.0, ("waiting for a lock",), ("idle in a transaction",)),
        (0.0, 0.0, (), ("waiting for a lock", "idle in a transaction")),
    ],
)
def test_sessions_that_wait_are_drawn_where_there_were_any(
    tmp_path: Path, waiting: float, idle: float, named: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    factory = Factory(tmp_path / "run", sessions=[session(1)])
    factory.step(5, [plan for plan in plans(scale=0.1) if plan.part.startswith("5.")])
    folder = factory.write()
    end = factory.run.steps[0].attempts[0].end
    states = {"connections": [9.0], "sessions_waiting": [waiting]}
    states["sessions_idle_in_transaction"] = [idle]
    factory.writer.append_series(
        "database", Table(SERIES["database"], {"session": [1.0], "time": [end - 0.1], **states})
    )
    source = Source(RunReader(folder))
    data = source.step(source.run.steps[0])
    assert data is not None
    drawing = draw("one", lambda figure: paint(data, figure))
    assert "open connections" in drawing.svg
    for text in named:
        assert text in drawing.svg
    for text in missing:
        assert text not in drawing.svg
