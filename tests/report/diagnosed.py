"""Stored runs of a few parts, made for one rule at a time, and what the report says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from qa_runner.criteria import CriterionResult, Measurement, judge, parse
from qa_runner.metric import Kind, Metric, Unit, registry
from qa_runner.report.findings import findings
from qa_runner.report.source import Source
from qa_runner.result import (
    Attempt,
    DataTable,
    LoadResult,
    PartResult,
    RunResult,
    Session,
    StepResult,
    TargetResult,
    Window,
)
from qa_runner.store import RunReader, RunWriter
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.verdict import combine

METRICS = registry(
    [
        Metric(name, Unit.COUNT, Kind.VALUE, "of the case")
        for name in (
            "duplicate_transactions",
            "orphan_transactions",
            "users_without_balance",
            "users_without_transaction",
            "duplicate_payment_intents",
            "unaccounted_transactions",
            "database_check_failures",
            "database_probe_answers",
        )
    ]
    + [
        Metric(name, Unit.SECONDS, Kind.VALUE, "of the case", load=True)
        for name in ("follow_up_time", "recovery_time", "response_time_over_band")
    ]
    + [
        Metric(name, Unit.PERCENT, Kind.VALUE, "of the case")
        for name in ("server_cpu_from_idle", "busiest_window_after_load")
    ]
)
PATH = "/finances/api/purchase/initiate/"


@dataclass
class Part:
    """A part that lasts from ``start`` for ``seconds``, with ``count`` samples of one load.

    ``columns`` replaces columns of the samples; a value that is no list stands in each row.
    """

    id: str = "3.1"
    count: int = 0
    criteria: Sequence[tuple[str, float | None] | tuple[str, float | None, str]] = ()
    columns: Mapping[str, Any] = field(default_factory=dict)
    shape: str = "burst of 50"
    start: float = 10.0
    seconds: float = 10.0
    service: float = 0.02
    path: str = PATH
    error: str = ""
    tables: list[DataTable] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)


def samples(part: Part, load: int) -> Table:
    """``count`` requests over the first four fifths of the part, all successful."""
    count = part.count
    due = part.start + np.linspace(0, part.seconds * 0.8, count, endpoint=False)
    columns: dict[str, Any] = {
        "session": np.ones(count),
        "load": np.full(count, float(load)),
        "iteration": np.arange(float(count)),
        "due": due,
        "started": due,
        "status": np.full(count, 201.0),
        "reused": np.zeros(count),
        "json_object": np.ones(count),
        "part": [part.id] * count,
        "role": ["main"] * count,
        "outcome": ["success"] * count,
    }
    given = {
        name: value if isinstance(value, list | np.ndarray) else [value] * count
        for name, value in part.columns.items()
    }
    service = np.asarray(given.pop("service", [part.service] * count), dtype=float)
    connect = np.asarray(given.pop("connect", [0.0003] * count), dtype=float)
    started = np.asarray(given.get("started", columns["started"]), dtype=float)
    columns |= {
        "resolved": started,
        "connected": started + connect,
        "secured": started + connect,
        "sent": started + connect,
        "finished": started + np.maximum(service, np.nan_to_num(connect)),
    }
    return Table(SAMPLES, columns | given)


def server(start: float = 0.0, end: float = 60.0, **columns: Any) -> Table:
    """The series "server" at 4 Hz, idle; a callable column gets the times."""
    time = np.arange(start, end, 0.25)
    data: dict[str, Any] = {
        "session": np.ones(time.size),
        "time": time,
        "processes": np.ones(time.size),
        "workers": np.ones(time.size),
        "rss_bytes": np.full(time.size, 90e6),
        "cpu_percent": np.full(time.size, 5.0),
        "restarts": np.zeros(time.size),
        "pids": ["4711"] * time.size,
    }
    for name, value in columns.items():
        data[name] = value(time) if callable(value) else np.full(time.size, value)
    return Table(SERIES["server"], data)


def series(name: str, **columns: Any) -> Table:
    """Another series, of session 1."""
    size = len(columns["time"])
    return Table(SERIES[name], {"session": np.ones(size), **columns})


def log(*records: tuple[float, str, str, str]) -> Table:
    """Records of the server's log: time, level, kind, text."""
    time, level, kind, text = (list(column) for column in zip(*records, strict=True))
    return series("log", time=time, level=level, kind=kind, text=text)


def database(**facts: Any) -> DataTable:
    """The table that the snapshot stores of a database; "_" in a name stands for a space."""
    rows = [[name.replace("_", " "), value] for name, value in facts.items()]
    return DataTable(name="database", title="Database", columns=["what", "value"], rows=rows)


def judged(part: Part) -> list[CriterionResult]:
    """The criteria with what they found; a third value is the reason or the note."""
    results = []
    for text, found, *words in part.criteria:
        rule = parse(text, part.id, METRICS, source="the text")
        said = words[0] if words else ""
        measured = Measurement(value=found, reason="" if found is not None else said)
        if found is not None:
            saturated = said.startswith("load generator saturated")
            measured = msgspec.structs.replace(measured, note=said, invalid=saturated)
        anchor = f"part-{part.id}" if "." in part.id else f"step-{part.id}"
        results.append(judge(rule, measured, anchor))
    return results


def store(
    folder: Path, *parts: Part, tables: Mapping[str, Table] | None = None, **changes: Any
) -> Path:
    """A run folder with these parts, a step for each number; parts without a dot are a step's."""
    writer = RunWriter.create(folder)
    settings: dict[str, Any] = {
        "tool_version": "0.1.0",
        "run_id": "run-1",
        "test_id": "PURCHASE-006",
        "test_name": "Purchase API",
        "description": "",
        "status": "finished",
        "profile": "full",
        "started": "2026-11-21T10:00:00+01:00",
        "target": TargetResult(
            name="shop", url="http://127.0.0.1:8123", environment="this machine"
        ),
        "tag": "r1",
        "sessions": [Session(id=1, wall_start="2026-11-21T10:00:00+01:00", monotonic_start=100.0)],
    }
    run = RunResult(verdict=combine([]), **{**settings, **changes})
    for load, part in enumerate(parts, start=1):
        _add(writer, run, part, load)
    for name, table in (tables or {}).items():
        writer.append_series(name, table)
    run.verdict = run.judge()
    writer.write_result(run)
    return folder


def _add(writer: RunWriter, run: RunResult, part: Part, number: int) -> None:
    step = int(part.id.partition(".")[0])
    held = next((held for held in run.steps if held.number == step), None)
    name = f"samples/step-{step}-attempt-1.npy"
    if held is None:
        attempt = Attempt(
            number=1,
            session=1,
            started="2026-11-21T10:00:01+01:00",
            verdict=combine([]),
            start=part.start,
            end=part.start,
            samples=name,
        )
        held = StepResult(
            number=step,
            title="A step",
            purpose="",
            figure=f"0{step}_x",
            chart="",
            verdict=combine([]),
        )
        held.attempts.append(attempt)
        run.steps.append(held)
    attempt = held.attempts[-1]
    attempt.end = max(attempt.end, part.start + part.seconds)
    results = judged(part)
    if "." not in part.id:
        attempt.criteria = results
        return
    table = samples(part, number)
    writer.append_samples(name, table)
    load = LoadResult(
        number=number,
        role="main",
        tag="r1",
        shape=part.shape,
        request=f"POST http://127.0.0.1:8123{part.path}\n\n{{}}",
        connections="new",
        timeout_seconds=10.0,
        start=part.start,
        end=part.start + part.seconds,
        outcomes=dict(table.counts("outcome")),
        burst=part.count if part.shape.startswith("burst") else 0,
    )
    attempt.parts.append(
        PartResult(
            id=part.id,
            title="A part",
            verdict=combine(result.verdict for result in results),
            start=part.start,
            end=part.start + part.seconds,
            loads=[load] if part.count else [],
            tables=part.tables,
            windows=part.windows,
            criteria=results,
            error=part.error,
        )
    )


def told(folder: Path) -> dict[str, dict[str, Any]]:
    """The findings of a run folder by rule, in their order."""
    return {row["rule"]: row for row in findings(Source(RunReader(folder)))["rows"]}
