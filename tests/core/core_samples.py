"""Small tables and results for the tests of the core, with every number in sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qa_runner.criteria import Criterion, CriterionResult, Measurement, judge, parse
from qa_runner.load.plan import Outcome
from qa_runner.metric import METRICS, Metric
from qa_runner.observation import Observation
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
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.verdict import Verdict

_WITHOUT_START = (Outcome.DROPPED,)
_WITHOUT_ANSWER = (Outcome.DROPPED, Outcome.CANCELLED, Outcome.CONNECTION_ERROR, Outcome.TIMEOUT)
_STATUS = {
    Outcome.SUCCESS: 201,
    Outcome.INVALID: 200,
    Outcome.CLIENT_ERROR: 400,
    Outcome.THROTTLED: 429,
    Outcome.SERVER_ERROR: 500,
    Outcome.OTHER: 302,
}


def sample(
    outcome: Outcome = Outcome.SUCCESS, due: float = 0.0, seconds: float = 0.1, **more: Any
) -> dict[str, Any]:
    """A row: started when due, finished ``seconds`` later, unless ``more`` says otherwise."""
    row: dict[str, Any] = {
        "session": 1,
        "load": 1,
        "due": due,
        "status": _STATUS.get(outcome, 0),
        "part": "1.1",
        "role": "main",
        "outcome": str(outcome),
    }
    if outcome not in _WITHOUT_START:
        row["started"] = due
    if outcome not in (Outcome.DROPPED, Outcome.CANCELLED):
        row["finished"] = due + seconds
    if outcome not in _WITHOUT_ANSWER:
        row |= {"connected": due, "first_byte": due + seconds, "json_object": 1}
    return row | more


def samples(*rows: Mapping[str, Any]) -> Table:
    return Table.from_rows(SAMPLES, rows)


def series(name: str, *rows: Mapping[str, Any]) -> Table:
    return Table.from_rows(SERIES[name], [{"session": 1, **row} for row in rows])


def observe(
    table: Table | None = None,
    *,
    start: float = 0.0,
    end: float = 100.0,
    metrics: Mapping[str, Metric] = METRICS,
    **more: Any,
) -> Observation:
    """An observation in which every series exists, empty where ``series`` does not give it."""
    given = {name: Table(columns) for name, columns in SERIES.items()} | more.pop("series", {})
    return Observation(
        samples=Table(SAMPLES) if table is None else table,
        start=start,
        end=end,
        series=given,
        reasons=more.pop("reasons", {}),
        metrics=metrics,
        **more,
    )


def criterion(text: str, metrics: Mapping[str, Metric] = METRICS, owner: str = "1.1") -> Criterion:
    return parse(text, owner, metrics, "the text")


def measure(
    asked: str, observation: Observation, metrics: Mapping[str, Metric] = METRICS
) -> Measurement:
    """Measure ``"success_rate"`` or ``"response_time p(95)"``; the limit does not matter."""
    name = asked.split("{", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    unit = metrics[name].aggregate_unit("slope" if asked.endswith(" slope") else "")
    limit = "0" if unit == "count" else f"0 {unit}"
    return observation.measure(criterion(f"{asked} >= {limit}", metrics))


def judged(text: str, value: float | None, **more: Any) -> CriterionResult:
    return judge(criterion(text), Measurement(value=value, **more))


def step_result(
    number: int = 1,
    criteria: list[CriterionResult] | None = None,
    *,
    attempts: int = 1,
    verdict: Verdict = Verdict.PASS,
    selected: bool = True,
) -> StepResult:
    listed = [judged("success_rate == 100 %", 100.0)] if criteria is None else criteria
    part = PartResult(
        id=f"{number}.1",
        title="Part",
        verdict=verdict,
        start=0.0,
        end=1.5,
        parameters=[ParameterResult(name="requests", value=8, document_value=5, differs=True)],
        loads=[
            LoadResult(
                number=1,
                role="main",
                tag="t1",
                shape="burst of 5",
                request="POST http://127.0.0.1:1/ {}",
                connections="new",
                timeout_seconds=10.0,
                start=0.0,
                end=1.0,
                outcomes={"success": 5},
            )
        ],
        metrics=[RecordedMetric(name="recovery_time", value=None, unit="s", reason="none")],
        tables=[DataTable(name="t", title="T", columns=["a", "b"], rows=[["x", 1], [None, 0.5]])],
        windows=[Window(name="load", start=0.0, end=1.0)],
        criteria=listed,
        notes=["a note with ünïcode \u2028 and <b>markup</b>"],
    )
    return StepResult(
        number=number,
        title="Step",
        purpose="Why",
        figure=f"0{number}_figure",
        chart="requests",
        verdict=verdict,
        selected=selected,
        attempts=[
            Attempt(
                number=index + 1,
                session=index + 1,
                started="2026-01-02T03:04:05.678+00:00",
                verdict=verdict,
                start=0.0,
                end=2.0,
                parts=[part],
                samples=f"samples/step-{number}-attempt-{index + 1}.csv",
            )
            for index in range(attempts)
        ],
    )


def run_result(**changes: Any) -> RunResult:
    """A finished run of one step that passed."""
    values: dict[str, Any] = {
        "tool_version": "0.1.0",
        "run_id": "run-20260102-030405",
        "test_id": "CASE-1",
        "test_name": "A case",
        "description": "What it is for",
        "status": "finished",
        "verdict": Verdict.PASS,
        "profile": "full",
        "started": "2026-01-02T03:04:05.678+00:00",
        "target": TargetResult(
            name="demo", url="http://127.0.0.1:1", environment="embedded", faults=["slow"]
        ),
        "tag": "qa0102",
        "settings": {"steps": [], "case.plan_id": 1},
        "sessions": [Session(id=1, wall_start="2026-01-02T03:04:05+00:00", monotonic_start=12.5)],
        "steps": [step_result()],
        "facts": [Fact(name="baseline", step=2, attempt=1, values={"median_seconds": 0.02})],
    }
    return RunResult(**values | changes)
