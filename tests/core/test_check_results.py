from __future__ import annotations

import json

import msgspec
from core_samples import run_result

from qa_runner.check_result import CheckResult, Level
from qa_runner.report.checks import checks
from qa_runner.result import decode, encode


def finding(session: int, level: Level) -> CheckResult:
    return CheckResult(id="path", title="Right path", level=level, text="said", session=session)


def test_the_report_shows_the_checks_of_the_last_session() -> None:
    run = run_result(checks=[finding(1, Level.WARNING), finding(2, Level.OK)])
    shown = checks(run)
    assert [row["level"] for row in shown["rows"]] == ["ok"]
    assert shown["summary"] == "nothing to object to"
    assert not shown["open"]
    run.checks.append(finding(2, Level.WARNING))
    shown = checks(run)
    assert shown["summary"] == "1 warning"
    assert shown["open"]


def test_checks_are_read_back_and_an_old_run_has_none() -> None:
    run = run_result(checks=[finding(1, Level.NOTE)])
    assert decode(encode(run), "run.json").checks == run.checks
    stored = msgspec.to_builtins(run)
    del stored["checks"]
    old = decode(json.dumps(stored).encode(), "run.json")
    assert old.checks == []
    assert checks(old)["rows"] == []
