"""The columns of the database series: runs from before there were as many are read and rerun."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa_runner.aggregates import increase
from qa_runner.criteria import parse
from qa_runner.metric import METRICS
from qa_runner.observation import Observation
from qa_runner.store import RunReader, RunWriter
from qa_runner.table import SAMPLES, SERIES, Table

OLD = (
    "session,time,read_end,transactions_added,users_added,balances_added,query_seconds,"
    "connections,probe_seconds,error\n"
    "1,1,1.5,3,2,2,0.001,,0.01,\n"
)


def readings(*deadlocks: float) -> Table:
    rows = [{"session": 1, "time": float(n), "deadlocks": d} for n, d in enumerate(deadlocks)]
    return Table.from_rows(SERIES["database"], rows)


def test_a_series_of_an_older_version_is_read_and_added_to(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run") as writer:
        path = writer.folder / "series" / "database.csv"
        path.write_text(OLD)
        old = RunReader(writer.folder).series("database")
        assert old.number("transactions_added").tolist() == [3]
        assert np.isnan(old.number("deadlocks")).all()
        writer.append_series("database", readings(0, 2))
        writer.append_series("database", readings(3))
        both = RunReader(writer.folder).series("database")
    assert both.number("transactions_added")[0] == 3
    np.testing.assert_array_equal(both.number("deadlocks"), [np.nan, 0, 2, 3])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 3, 2), (1, 2, 1), (2.5, 3, 1), (3.5, 9, None), (0.5, 1.5, 0)],
)
def test_an_increase_counts_from_the_last_reading_before(
    start: float, end: float, expected: float | None
) -> None:
    times = np.array([0.0, 1.0, 2.0, 2.2, 3.0])
    counts = np.array([5.0, 5.0, 6.0, np.nan, 7.0])
    assert increase(times, counts, start, end) == expected


@pytest.mark.parametrize(
    ("log", "body", "counted", "expected"),
    [
        (None, "", None, None),  # nobody tells
        (None, "", (0.0, 0.0), 0),  # the database does
        (None, "", (4.0, 6.0), 2),
        ((), "", (0.0, 1.0), 1),  # neither log nor responses say it
        (("deadlock", "deadlock"), "", (0.0, 1.0), 2),  # published late
        (None, "deadlock detected", (0.0, 0.0), 1),
        ((), "", None, 0),
    ],
)
def test_deadlocks_are_the_most_that_any_source_knows(
    log: tuple[str, ...] | None,
    body: str,
    counted: tuple[float, ...] | None,
    expected: float | None,
) -> None:
    sample = {"session": 1, "status": 500, "due": 0, "started": 0, "finished": 0.1}
    samples = Table.from_rows(
        SAMPLES, [{**sample, "role": "main", "outcome": "server error", "excerpt": body}]
    )
    series = {} if counted is None else {"database": readings(*counted)}
    if log is not None:
        rows = [{"session": 1, "time": 0.5, "level": "ERROR", "kind": kind} for kind in log]
        series["log"] = Table.from_rows(SERIES["log"], rows)
    observation = Observation(
        samples=samples,
        start=0,
        end=1,
        series=series,
        reasons={},
        metrics=METRICS,
        log_known=log is not None,
    )
    criterion = parse("deadlocks == 0", "5.1", METRICS)
    assert observation.measure(criterion).value == expected
