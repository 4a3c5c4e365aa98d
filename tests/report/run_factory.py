"""Run folders like those that runs leave behind, made of synthetic tables through RunWriter."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qa_runner.criteria import CriterionResult, Measurement, judge, parse
from qa_runner.metric import METRICS, Kind, Metric, Unit, registry
from qa_runner.result import (
    Attempt,
    DataTable,
    Fact,
    LoadResult,
    ParameterResult,
    PartResult,
    RecordedMetric,
    RunResult,
    Session,
    StepResult,
    TargetResult,
    Window,
)
from qa_runner.store import RunWriter
from qa_runner.summary import reason_for
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.verdict import combine

OWN = registry(
    [
        Metric("recovery_time", Unit.SECONDS, Kind.VALUE, "until five good probes"),
        Metric("duplicate_transactions", Unit.COUNT, Kind.VALUE, "ids seen twice"),
        Metric("unaccounted_transactions", Unit.COUNT, Kind.VALUE, "neither stored nor refused"),
    ]
)
assert METRICS.keys() < OWN.keys()

REQUEST = (
    "POST http://127.0.0.1:8123/finances/api/purchase/initiate/\n"
    "Content-Type: application/json\n"
    "\n"
    '{"plan_id": 1, "student_info": {"name": "Tester {i}", "email": "qa-{tag}-{i}@example.com"}}'
)
ONE = "1 requests one at a time, back to back"
FIGURES = (
    (1, "Environment and baseline", "phases", "01_baseline_performance_established"),
    (2, "Single requests", "response_times", "02_single_request_performance"),
    (3, "Concurrent requests", "concurrency", "03_concurrent_request_handling"),
    (4, "Sustained load", "sustained", "04_sustained_load_testing"),
    (5, "Database impact", "database", "05_database_performance_impact"),
    (6, "Memory and CPU", "resources", "06_resource_usage_monitoring"),
    (7, "Error rate under stress", "errors", "07_error_rate_analysis"),
    (8, "Recovery and integrity", "recovery", "08_recovery_and_cleanup_verified"),
)


@dataclass
class Plan:
    """One part: its load and the criteria with what they found, in base units."""

    part: str
    title: str
    shape: str
    requests: int
    seconds: float
    criteria: list[tuple[str, float | None]]
    failing: float = 0.0
    role: str = "main"
    told: tuple[str, ...] = ()
    """Columns that the responses tell in their Server-Timing header."""
    stairs: tuple[int, ...] = ()
    tables: list[DataTable] = field(default_factory=list)
    metrics: list[RecordedMetric] = field(default_factory=list)
    median: float = 0.023


def plans(failing: float = 0.0, scale: float = 1.0) -> list[Plan]:
    """The parts of PURCHASE-006 with plausible numbers; ``failing`` is the share in 3.x and 7."""

    def count(requests: int) -> int:
        return max(round(requests * scale), 1)

    rate = 100 * (1 - failing)
    return [
        Plan("1.1", "Snapshot", "", 0, 2, [("server_processes >= 1", 1)], tables=[SNAPSHOT]),
        Plan(
            "1.2",
            "One POST",
            "1 requests one at a time, back to back",
            1,
            1,
            [("status == 201", 201), ("response_time max < 2 s", 0.0241)],
        ),
        Plan(
            "2.1",
            "One at a time",
            "10 requests one at a time, 1 s pause",
            count(10),
            11,
            [("success_rate == 100 %", 100), ("response_time mean < 2 s", 0.0232)],
        ),
        Plan(
            "2.2",
            "Back to back",
            "20 requests one at a time, back to back",
            count(20),
            1,
            [("response_time stddev < 0.5 s", 0.0031), ("response_time max <= 5 s", 0.0312)],
        ),
        Plan(
            "3.1",
            "5 simultaneous requests",
            "burst of 5",
            5,
            1,
            [
                ("success_rate == 100 %", rate),
                ("duration < 5 s", 0.41),
                ("lock_errors == 0", 4 if failing else 0),
                ("duplicate_transactions == 0", 0),
            ],
            failing=failing,
        ),
        Plan(
            "3.2",
            "15 simultaneous requests",
            "burst of 15",
            15,
            1,
            [("success_rate >= 90 %", rate), ("duration < 10 s", 0.8)],
            failing=failing,
            median=0.1,
        ),
        Plan(
            "3.3",
            "50 requests, 20 ms apart",
            "burst of 50, started 20 ms apart",
            50,
            2,
            [("success_rate >= 80 %", rate), ("server_restarts == 0", 0)],
            failing=failing,
            median=0.2,
        ),
        Plan(
            "3.4",
            "Peak capacity",
            "staircase of 1, 2, 5, 10, 20, 50 virtual users, 5 s each",
            count(3000),
            30,
            [("throughput >= 10 req/s", 84.2), ("response_time{users:50} p(95) < 5 s", 0.61)],
            stairs=(1, 2, 5, 10, 20, 50),
            tables=[STAIRS],
            median=0.05,
        ),
        Plan(
            "4.1",
            "Constant arrival rate",
            "constant arrival rate, 2 req/s for 120 s",
            count(240),
            120,
            [
                ("success_rate >= 95 %", 100),
                ("response_time p(95) < 5 s", 0.0331),
                ("server_memory growth < 50 MB", 3.21e6),
                ("server_memory slope < 5 MB per 100 requests", 0.412e6),
            ],
        ),
        Plan(
            "5.1",
            "Rows under load",
            "burst of 15, 4 times, every 5 s",
            count(60),
            30,
            [
                ("query_time median < 100 ms", 0.0008),
                ("unaccounted_transactions == 0", None),
            ],
            tables=[CHANGE],
        ),
        Plan(
            "6.1",
            "Memory",
            "burst of 10, 10 times, every 1 s",
            count(100),
            20,
            [("server_memory growth < 50 MB", -320e3), ("server_memory range < 5 MB", 0.2e6)],
        ),
        Plan("6.2", "CPU", "burst of 50", count(50), 30, [("server_cpu p(95) < 80 %", 31.25)]),
        Plan(
            "7.1",
            "Stress",
            "50 virtual users, 200 requests",
            count(200),
            6,
            [("success_rate >= 70 %", rate), ("server_error_rate < 10 %", 100 * failing)],
            failing=failing,
            median=0.4,
        ),
        Plan(
            "8.1",
            "Recovery",
            "100 virtual users, 30 s",
            count(3000),
            30,
            [("recovery_time < 30 s", 2.0)],
            metrics=[RecordedMetric(name="recovery_time", value=2.0, unit="s")],
            tables=[BAND],
            median=0.9,
            role="heavy",
        ),
        Plan(
            "8.2",
            "Integrity",
            "",
            0,
            1,
            [("unaccounted_transactions == 0", 0)],
            tables=[CHECKS],
        ),
    ]


SNAPSHOT = DataTable(
    name="snapshot",
    title="Environment",
    columns=["fact", "value"],
    rows=[["CPU count", 2], ["Django", "5.2.1"], ["DEBUG", False], ["journal mode", "wal"]],
)
CHANGE = DataTable(
    name="rows",
    title="Rows",
    columns=["table", "before", "after", "change"],
    rows=[["transactions", 3100, 3160, 60], ["users", 3098, 3157, 59], ["balances", 1, 2, None]],
)
STAIRS = DataTable(
    name="stairs",
    title="Stairs",
    columns=["users", "requests", "succeeded", "req/s", "median s", "p95 s", "knee"],
    rows=[
        [1, 50, 50, 10.0, 0.05, 0.09, ""],
        [2, 50, 50, 21.5, 0.05, 0.1, ""],
        [5, 50, 50, 40.25, 0.06, 0.12, ""],
        [10, 50, 50, 78.5, 0.07, 0.15, "knee"],
        [20, 50, 0, 0.0, None, None, ""],
        [50, 50, 50, 84.25, 0.4, 0.61, ""],
    ],
)
BAND = DataTable(
    name="band",
    title="Recovery band",
    columns=["baseline median s", "baseline p95 s", "band s"],
    rows=[[0.021, 0.029, 0.121]],
)
CHECKS = DataTable(
    name="integrity",
    title="Integrity",
    columns=["check", "this run", "before the run"],
    rows=[["transactions without a user", 0, 0], ["duplicate payment intent ids", 0, 2]],
)


class Factory:
    """Builds one run folder."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.writer = RunWriter.create(folder)
        self.folder = folder
        self.random = np.random.default_rng(6)
        self.now = 1.0
        self.load = 0
        self.added = 0.0
        settings: dict[str, Any] = {
            "tool_version": "0.1.0",
            "run_id": "run-20261121-100000",
            "test_id": "PURCHASE-006",
            "test_name": "Purchase API performance",
            "description": "How the purchase API behaves under load.",
            "status": "finished",
            "profile": "full",
            "started": "2026-11-21T10:00:00+01:00",
            "finished": "2026-11-21T10:06:42+01:00",
            "duration_seconds": 402.3,
            "target": TargetResult(
                name="demo",
                url="http://127.0.0.1:8123",
                environment="embedded",
                version="0.1.0",
                facts={"database": "SQLite 3.45, WAL", "DEBUG": "off"},
            ),
            "tag": "r1a1",
            "environment": {"os": "Linux 6.8", "python": "3.11.7", "cpu_count": "2"},
            "settings": {"profile": "full", "timeout_seconds": 10.0, "headers": ["a", "b"]},
            "sessions": [session(1)],
            "facts": [
                Fact(
                    name="baseline",
                    step=2,
                    attempt=1,
                    values={"median_seconds": 0.023, "p95_seconds": 0.031},
                )
            ],
            "excluded": [
                "5.1-database-time-p95: the target sends no database time in a Server-Timing header"
            ],
        }
        settings.update(changes)
        self.run = RunResult(verdict=combine([]), **settings)

    def step(
        self,
        number: int,
        listed: list[Plan],
        *,
        attempt: int = 1,
        session_id: int = 1,
        series: bool = True,
        own: list[tuple[str, float | None]] | None = None,
    ) -> StepResult:
        """Add an attempt of a step, its samples and its series."""
        _, title, chart, figure = FIGURES[number - 1]
        start = self.now
        name = f"samples/step-{number}-attempt-{attempt}.npy"
        parts = [self._part(plan, name, session_id) for plan in listed]
        criteria = [criterion(str(number), text, found) for text, found in own or []]
        results = [one for part in parts for one in part.criteria] + criteria
        made = Attempt(
            number=attempt,
            session=session_id,
            started="2026-11-21T10:00:01+01:00",
            verdict=combine(one.verdict for one in results),
            start=start,
            end=self.now,
            parts=parts,
            criteria=criteria,
            reason="run" if attempt == 1 else "rerun",
            samples=name,
        )
        if series:
            self._series(start, self.now, session_id)
        self.now += 0.5
        step = next((held for held in self.run.steps if held.number == number), None)
        if step is None:
            step = StepResult(
                number=number,
                title=title,
                purpose=f"What step {number} wants to know.",
                figure=figure,
                chart=chart,
                verdict=made.verdict,
            )
            self.run.steps.append(step)
        step.attempts.append(made)
        step.verdict = made.verdict
        return step

    def write(self) -> Path:
        """Store run.json with the verdict over the steps."""
        self.run.verdict = self.run.judge()
        if self.run.status != "running":
            self.run.reason = reason_for(self.run)
        self.writer.write_result(self.run)
        return self.folder

    def _part(self, plan: Plan, name: str, session_id: int) -> PartResult:
        start = self.now
        loads = []
        windows = []
        if plan.requests:
            loads.append(self._send(plan, name, session_id))
        self.now += plan.seconds
        if plan.part == "8.1":
            windows.append(Window(name="recovery", start=self.now, end=self.now + 2))
            for _ in range(8):
                probe = Plan("8.1", "", ONE, 1, 1, [], role="probe", median=0.03)
                loads.append(self._send(probe, name, session_id))
                self.now += 1
            later = Plan("8.1", "", "5 requests one at a time, 2 s pause", 5, 9, [])
            loads.append(self._send(later, name, session_id))
            self.now += 9
        results = [criterion(plan.part, text, found) for text, found in plan.criteria]
        return PartResult(
            id=plan.part,
            title=plan.title,
            verdict=combine(one.verdict for one in results),
            start=start,
            end=self.now,
            parameters=[
                ParameterResult(name="requests", value=plan.requests),
                ParameterResult(
                    name="pause", value=0.1, document_value=1.0, differs=True, unit="s"
                ),
            ],
            loads=loads,
            windows=windows,
            metrics=plan.metrics,
            tables=plan.tables,
            criteria=results,
        )

    def _send(self, plan: Plan, name: str, session_id: int) -> LoadResult:
        self.load += 1
        samples = self.samples(plan, session_id)
        self.writer.append_samples(name, samples)
        outcomes = samples.text("outcome")
        return LoadResult(
            number=self.load,
            role=plan.role,
            tag="r1a1",
            shape=plan.shape,
            request=REQUEST,
            connections="new",
            timeout_seconds=10.0,
            start=self.now,
            end=self.now + plan.seconds,
            outcomes={one: outcomes.count(one) for one in sorted(set(outcomes))},
        )

    def samples(self, plan: Plan, session_id: int) -> Table:
        """Requests spread over the part's time, a share of them failing."""
        count = plan.requests
        burst = plan.shape.startswith("burst")
        due = self.now + (
            np.arange(count) * 0.02
            if burst
            else np.linspace(0, plan.seconds, count, endpoint=False)
        )
        service = plan.median * self.random.lognormal(0, 0.35, count)
        started = due + 0.0004
        first_byte = started + service
        failed = np.arange(count) < round(plan.failing * count)
        tags = [""] * count
        if plan.stairs:
            index = np.minimum(np.arange(count) * len(plan.stairs) // count, len(plan.stairs) - 1)
            tags = [f"users:{plan.stairs[i]}" for i in index]
        body = json.dumps({"success": False, "error": "database is locked"})
        inside = {
            "application_seconds": service * 0.9,
            "database_seconds": service * 0.3,
            "queries": 8 + np.arange(count) // 10,
        }
        return Table(
            SAMPLES,
            {name: inside[name] for name in plan.told}
            | {
                "session": np.full(count, float(session_id)),
                "load": np.full(count, float(self.load)),
                "iteration": np.arange(float(count)),
                "user": np.zeros(count),
                "due": due,
                "started": started,
                "resolved": started,
                "connected": started + 0.0003,
                "secured": started + 0.0003,
                "sent": started + 0.0005,
                "first_byte": first_byte,
                "finished": first_byte + 0.0002,
                "status": np.where(failed, 500.0, 201.0),
                "bytes_received": np.full(count, 412.0),
                "reused": np.zeros(count),
                "json_object": np.ones(count),
                "part": [plan.part] * count,
                "role": [plan.role] * count,
                "tag": tags,
                "key": [f"qa-r1a1-{i}@example.com" for i in range(count)],
                "outcome": ["server error" if bad else "success" for bad in failed],
                "error": ["database is locked" if bad else "" for bad in failed],
                "extracted": [""] * count,
                "excerpt": [body if bad else "" for bad in failed],
            },
        )

    def _series(self, start: float, end: float, session_id: int) -> None:
        time = np.arange(start, end, 0.25)
        ids = np.full(time.size, float(session_id))
        memory = 92e6 + 8e6 * (1 - np.exp(-time / 60)) + self.random.normal(0, 4e4, time.size)
        self.writer.append_series(
            "server",
            Table(
                SERIES["server"],
                {
                    "session": ids,
                    "time": time,
                    "processes": np.ones(time.size),
                    "workers": np.ones(time.size),
                    "rss_bytes": memory.round(),
                    "cpu_percent": np.abs(self.random.normal(22, 9, time.size)),
                    "database_handles": np.full(time.size, 3.0),
                    "restarts": np.zeros(time.size),
                },
            ),
        )
        time = np.arange(start, end, 1.0)
        ids = np.full(time.size, float(session_id))
        added = self.added + np.arange(time.size) * 2.0
        self.added = float(added[-1]) if added.size else self.added
        self.writer.append_series(
            "database",
            Table(
                SERIES["database"],
                {
                    "session": ids,
                    "time": time,
                    "read_end": time + 0.004,
                    "transactions_added": added,
                    "users_added": added - 1,
                    "balances_added": added - 1,
                    "query_seconds": np.abs(self.random.normal(8e-4, 1e-4, time.size)),
                    "probe_seconds": np.full(time.size, 0.004),
                },
            ),
        )
        self.writer.append_series(
            "generator",
            Table(
                SERIES["generator"],
                {
                    "session": ids,
                    "time": time,
                    "cpu_percent": np.full(time.size, 12.0),
                    "loop_lag_seconds": np.full(time.size, 0.0011),
                    "in_flight": np.full(time.size, 2.0),
                },
            ),
        )


def killed(factory: Factory, number: int, listed: list[Plan], *, attempt: int = 1) -> Attempt:
    """What a kill leaves of an attempt: stored as it began, then a part at a time."""
    step = factory.step(number, listed, attempt=attempt)
    held = step.attempts[-1]
    held.end, held.criteria = held.start, []
    held.verdict = combine(part.verdict for part in held.parts)
    return held


def session(number: int) -> Session:
    return Session(
        id=number,
        wall_start=f"2026-11-2{number}T10:00:00+01:00",
        monotonic_start=100.0,
        command="qa-runner run PURCHASE-006",
    )


def criterion(owner: str, text: str, found: float | None) -> CriterionResult:
    """Judge as a run would."""
    rule = parse(text, owner, OWN, source=f"Step {owner[0]}")
    reason = "" if found is not None else "no database probe was connected"
    interval = None
    if found is not None and rule.metric in ("success_rate", "response_time"):
        interval = (found * 0.97, found * 1.02)
    measured = Measurement(
        value=found,
        interval=interval,
        sample_size=100 if found is not None else None,
        reason=reason,
    )
    anchor = f"part-{owner}" if "." in owner else f"step-{owner}"
    return judge(rule, measured, anchor)


def whole(folder: Path, *, failing: float = 0.0, scale: float = 1.0, **changes: Any) -> Path:
    """A run of all eight steps."""
    factory = Factory(folder, **changes)
    fill(factory, failing=failing, scale=scale)
    return factory.write()


def fill(factory: Factory, *, failing: float = 0.0, scale: float = 1.0, upto: int = 8) -> None:
    listed = plans(failing, scale)
    for number in range(1, upto + 1):
        mine = [plan for plan in listed if plan.part.startswith(f"{number}.")]
        if mine and number == 5 and failing == 0.0:
            mine[0].criteria[1] = ("unaccounted_transactions == 0", 0)
        own: list[tuple[str, float | None]] = (
            [("success_rate >= 90 %", 100 * (1 - failing))] if number == 3 else []
        )
        factory.step(number, mine, own=own)
