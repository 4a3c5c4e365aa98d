"""Stored runs for the tests of the report's other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from report.run_factory import Factory, Plan, fill, killed, plans, whole

from qa_runner.check_result import CheckResult, Level
from qa_runner.result import Session, TargetResult
from qa_runner.summary import reason_for
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.verdict import Verdict

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> ![p](javascript:alert(2)) "
    "[a](http://evil.example/x) <http://evil.example> http://evil.example www.evil.example "
    "@octocat a@evil.example #1 o/r#2 GH-3 `code` ``two`` **b** _i_ ~~s~~ | $x$ ]]> &lt; <!-- -- "
    "\u202egnp.exe\u2066 \x00\x07\x1b[31m\x7f \ufffe \r\n# heading\n::error::owned\n##[error]owned"
    "\n| a | b |\n|---|---|\n"
)
FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]
MEGABYTES = "x<&\u202e" * 700_000


def passing(folder: Path) -> Path:
    return whole(folder, scale=0.05)


def failing(folder: Path) -> Path:
    return whole(folder, failing=0.2, scale=0.1)


def small(folder: Path) -> Path:
    """Two steps, of which the second failed: a page with few figures."""
    factory = Factory(folder)
    for number in (1, 3):
        listed = [plan for plan in plans(failing=0.2) if plan.part.startswith(f"{number}.")]
        factory.step(number, listed[:2])
    return factory.write()


def interrupted(folder: Path) -> Path:
    """Ctrl-C in step 4, with all that was judged before passed."""
    factory = Factory(folder, status="interrupted", stop_reason="by Ctrl-C")
    fill(factory, scale=0.05, upto=4)
    attempt = factory.run.steps[-1].attempts[-1]
    attempt.error = "by Ctrl-C"
    attempt.verdict = factory.run.steps[-1].verdict = Verdict.INCONCLUSIVE
    return _stored(factory)


def was_killed(folder: Path) -> Path:
    factory = Factory(folder, status="running", finished="")
    fill(factory, scale=0.05, upto=3)
    killed(factory, 4, [])
    return factory.write()


def crashed_without_criteria(folder: Path) -> Path:
    """A part that broke before anything could be judged of it."""
    factory = Factory(folder)
    step = factory.step(1, [Plan("1.1", "Snapshot", "", 0, 1, [])])
    part = step.attempts[-1].parts[0]
    part.error, part.verdict = "KeyError: 'plan'", Verdict.ERROR
    step.attempts[-1].verdict = step.verdict = Verdict.ERROR
    return _stored(factory)


def one_step_with_prerequisite(folder: Path) -> Path:
    """Only step 2 was asked for; step 1 ran before it, and failed."""
    factory = Factory(folder, scope="step 2 only", selected=["2"])
    first = factory.step(1, [Plan("1.2", "One", "", 0, 1, [("status == 201", 500)])])
    first.selected = False
    factory.step(2, [plan for plan in plans(scale=0.1) if plan.part.startswith("2.")])
    return _stored(factory)


def hostile(folder: Path) -> Path:
    """Everything that somebody else wrote is an attack, or megabytes."""
    target = TargetResult(
        name=HOSTILE,
        url=f"http://127.0.0.1/{HOSTILE}",
        environment=HOSTILE,
        faults=[HOSTILE],
        version=MEGABYTES,
        facts={HOSTILE: HOSTILE, "long": MEGABYTES},
    )
    changes: dict[str, Any] = {
        "test_id": f"PURCHASE-006 {HOSTILE}",
        "test_name": HOSTILE,
        "description": MEGABYTES,
        "target": target,
        "environment": {HOSTILE: HOSTILE},
        "started": HOSTILE,
        "finished": MEGABYTES,
        "profile": HOSTILE,
        "sessions": [Session(id=1, wall_start=HOSTILE, monotonic_start=1.0, command=HOSTILE)],
        "notes": [HOSTILE, MEGABYTES],
        "excluded": [f"5.1-database-time-p95: {HOSTILE}", HOSTILE],
        "checks": [
            CheckResult(id="path", title=HOSTILE, level=Level.WARNING, text=MEGABYTES, remedy="x")
        ],
    }
    factory = Factory(folder, **changes)
    listed = [plan for plan in plans(failing=0.5) if plan.part in ("3.1", "3.2")]
    step = factory.step(3, listed, own=[("success_rate >= 90 %", 50)])
    step.title, step.purpose = HOSTILE, MEGABYTES
    for part in step.attempts[-1].parts:
        part.title, part.error, part.notes = HOSTILE, MEGABYTES, [HOSTILE]
        part.loads = [msgspec.structs.replace(load, request=HOSTILE) for load in part.loads]
        part.criteria = [
            msgspec.structs.replace(result, reason=HOSTILE, note=MEGABYTES, source=HOSTILE)
            for result in part.criteria
        ]
    texts = [HOSTILE, MEGABYTES, "caf\udce9", *FORMULAS]
    count = len(texts)
    rows = {
        "session": [1.0] * count,
        "load": [1.0] * count,
        "due": [2.0] * count,
        "part": ["3.1"] * count,
        "role": ["main"] * count,
        "outcome": ["server error"] * count,
        "status": [500.0] * count,
        "error": texts,
        "excerpt": texts,
        "key": texts,
    }
    factory.writer.append_samples("samples/step-3-attempt-1.npy", Table(SAMPLES, rows))
    log = {"session": [1.0] * count, "time": [2.0] * count, "level": ["error"] * count}
    factory.writer.append_series(
        "log", Table(SERIES["log"], log | {"kind": ["other"] * count, "text": texts})
    )
    with (folder / "series" / "log.csv").open("ab") as file:
        file.write(b"1,3,error,other,\xff\xfe\xc3(\n")
    return _stored(factory)


def _stored(factory: Factory) -> Path:
    """As a run ends: an interrupted one has no better verdict than INCONCLUSIVE."""
    run = factory.run
    run.verdict = run.judge()
    if run.status != "finished" and run.verdict is not Verdict.FAIL:
        run.verdict = Verdict.INCONCLUSIVE
    run.reason = reason_for(run)
    factory.writer.write_result(run)
    return factory.folder
