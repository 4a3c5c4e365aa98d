"""Causes in the run itself, in what is stored and in what was not measured, and their ranking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from diagnosed import Part, server, store, told

from qa_runner.load.check import Finding
from qa_runner.load.guard import Guard
from qa_runner.load.limits import ErrorBudget, Limits
from qa_runner.load.plan import Outcome
from qa_runner.report.diagnosis import registry
from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.findings import findings
from qa_runner.report.html import page
from qa_runner.report.source import Source
from qa_runner.stop import PROTECTED, not_finished
from qa_runner.store import RunReader

RATE = "success_rate >= 90 %"


def stop_reason(limits: Limits, finding: Finding) -> str:
    """Why load is stopped that is answered well 26 times, and then so."""
    guard = Guard(limits, lambda: None)
    for number in range(100):
        if guard.admits(number / 100):
            guard.ended(number / 100, finding if number > 25 else Finding(Outcome.SUCCESS))
    assert guard.reason
    return guard.reason


STAGING = Limits(environment="staging", error_budget=ErrorBudget())
LIMITED = Finding(Outcome.THROTTLED, "HTTP 429: slow down", extracted='{"retry-after": "3540"}')


def stopped_part(**changes: Any) -> Part:
    """A part of 40 requests, 32 of them refused by a rate limit, that was not finished."""
    one = Part("3.1", 40, **changes)
    one.columns = {
        "outcome": ["success"] * 8 + ["throttled"] * 32,
        "status": [201.0] * 8 + [429.0] * 32,
        "extracted": [""] * 8 + [LIMITED.extracted] * 32,
    }
    return one


def test_a_stop_for_safety_comes_first_with_its_cause_behind(tmp_path: Path) -> None:
    one = stopped_part(criteria=[(RATE, 20.0)])
    why = stop_reason(STAGING, Finding(Outcome.THROTTLED, "HTTP 429: slow down"))
    rows = told(store(tmp_path / "run", one, status="stopped", stop_reason=why))
    assert list(rows) == ["stopped", "rate-limit"]
    assert rows["stopped"]["sentence"] == (
        f"The load was stopped in step 3 to spare the target: {why}."
    )
    assert "the budget stands in" in rows["stopped"]["remedy"]
    assert "stopped" not in told(store(tmp_path / "other", one, stop_reason=why))


def test_why_a_stopped_run_failed_is_told_though_nothing_was_judged(tmp_path: Path) -> None:
    why = stop_reason(STAGING, LIMITED)
    cut = f"not finished: {PROTECTED}"
    open_ = [(RATE, None, cut), ("server_memory growth < 5 MB", None, cut)]
    one = stopped_part(criteria=open_, error=PROTECTED)
    rows = told(store(tmp_path / "run", one, status="stopped", stop_reason=why))
    assert list(rows) == ["stopped", "rate-limit"]
    assert rows["stopped"]["sentence"].endswith("Also affected: 3.1-server-memory-growth.")
    assert "wait until that time is over" in rows["stopped"]["remedy"]
    said = rows["rate-limit"]["sentence"]
    assert said.startswith("3.1-success-rate could not be judged: 32 of 40 requests in 3.1 were")
    assert "Retry-After: 3540" in said


def test_who_interrupts_a_run_leaves_it_open_for_no_error(tmp_path: Path) -> None:
    cut = "by Ctrl-C"
    assert not_finished(cut) == "not finished: stopped with Ctrl-C"
    # Runs that were stored before say it in other words.
    for name, reason in (("run", not_finished(cut)), ("old", f"not finished: {cut}")):
        one = stopped_part(criteria=[(RATE, None, reason)], error=cut)
        folder = store(tmp_path / name, one, status="interrupted", stop_reason=cut)
        rows = told(folder)
        assert list(rows) == ["interrupted"]
        assert rows["interrupted"]["sentence"] == (
            "The run was interrupted; what it had not measured is inconclusive."
        )
        assert rows["interrupted"]["criteria"] == ["3.1-success-rate"]
        assert not rows["interrupted"]["likely"]
        assert "Likely cause:" not in page(RunReader(folder))


def test_the_step_in_which_a_run_was_interrupted_is_named(tmp_path: Path) -> None:
    cut = "by SIGTERM"
    assert not_finished(cut) == "not finished: stopped by SIGTERM"
    assert not_finished("no step") == "not finished: no step"
    one = part_that_failed()
    folder = store(tmp_path / "run", one, status="interrupted", stop_reason=cut)
    source = Source(RunReader(folder))
    source.run.steps[0].attempts[-1].error = cut
    rows = findings(source)["rows"]
    assert [row["likely"] for row in rows] == [False, True]
    assert rows[0]["sentence"] == (
        "The run was interrupted in step 3; what it had not measured is inconclusive."
    )
    assert rows[0]["evidence"] == "step-3"


@pytest.mark.parametrize(
    ("status", "words"), [("interrupted", "was interrupted"), ("running", "was killed, or goes on")]
)
def test_a_step_that_an_earlier_session_left_open_is_not_it(
    tmp_path: Path, status: str, words: str
) -> None:
    cut = "by SIGTERM"
    parts = Part("3.1", 5, [(RATE, 100.0)]), Part("4.1", 5, [(RATE, 100.0)], start=20.0)
    source = Source(RunReader(store(tmp_path / "run", *parts, status=status, stop_reason=cut)))
    for step, session in zip(source.run.steps, (2, 1), strict=True):
        attempt = step.attempts[-1]
        attempt.session = session
        if status == "running":
            attempt.end = attempt.start
        else:
            attempt.error = cut
    row = findings(source)["rows"][0]
    assert row["sentence"] == (
        f"The run {words} in step 3; what it had not measured is inconclusive."
    )
    assert row["evidence"] == "step-3"


def part_that_failed() -> Part:
    one = Part("3.1", 20, [(RATE, 50.0)])
    one.columns = {
        "outcome": ["server error"] * 10 + ["success"] * 10,
        "status": [500.0] * 10 + [201.0] * 10,
        "error": ["HTTP 500"] * 10 + [""] * 10,
    }
    return one


def test_samples_that_are_lost_are_no_cause(tmp_path: Path) -> None:
    folder = store(tmp_path / "run", part_that_failed())
    source = Source(RunReader(folder))
    load = source.run.steps[0].attempts[-1].parts[0].loads[0]
    load.outcomes["success"] += 5
    rows = {row["rule"]: row for row in findings(source)["rows"]}
    assert list(rows) == ["lost-samples", "failed-requests"]
    assert "holds 20 of the 25 requests of step 3" in rows["lost-samples"]["sentence"]
    assert [row["likely"] for row in rows.values()] == [False, True]


def test_a_run_stopped_at_a_limit_blames_no_request(tmp_path: Path) -> None:
    why = stop_reason(Limits(environment="staging", most_requests=50), Finding(Outcome.SUCCESS))
    cut = f"not finished: {PROTECTED}"
    one = stopped_part(criteria=[(RATE, None, cut)], error=PROTECTED)
    rows = told(store(tmp_path / "run", one, status="stopped", stop_reason=why))
    assert list(rows) == ["stopped"]
    assert rows["stopped"]["sentence"].endswith("Also affected: 3.1-success-rate.")
    assert "Ask for less load" in rows["stopped"]["remedy"]


def test_a_saturated_generator_is_blamed_instead_of_the_server(tmp_path: Path) -> None:
    note = "load generator saturated: its CPU reached 98 % of a core"
    one = Part("7.1", 40, [("response_time p(95) < 1 s", 2.0, note)], service=2.0)
    rows = told(store(tmp_path / "run", one, tables={"server": server()}))
    assert list(rows) == ["saturated-generator"]
    assert (
        "the bottleneck: its CPU reached 98 % of a core."
        in (rows["saturated-generator"]["sentence"])
    )
    assert "qa-runner calibrate" in rows["saturated-generator"]["remedy"]
    fine = Part("7.1", 40, [("response_time p(95) < 1 s", 2.0, "close to its limit")], service=2.0)
    rows = told(store(tmp_path / "fine", fine, tables={"server": server()}))
    assert list(rows) == ["waiting"]


REASONS = (
    ("missing-permission", "the process on port 8000 belongs to another user: run qa-runner as it"),
    ("missing-permission", "no process of this user listens on port 8000: run qa-runner as the"),
    ("missing-permission", "memory of the server could not be read: permission refused"),
    ("missing-permission", "cannot read the server log /var/log/shop.log: Permission denied"),
    ("wrong-interpreter", "the project's interpreter .venv/bin/python cannot be run (Permission"),
    ("wrong-interpreter", "Django cannot be imported by /usr/bin/python3 (ModuleNotFoundError)"),
    ("wrong-settings", "settings shop.settings cannot be imported: KeyError: 'SECRET_KEY'"),
    (
        "wrong-settings",
        "the database probe did not answer within 20 s while it opened shop.settings",
    ),
    ("wrong-model", "there is no model billing.Purchase (transactions); similar: billing.Sale"),
    ("database-unreachable", "the database answers: OperationalError: permission denied for table"),
    ("database-unreachable", "the database cannot be opened: InterfaceError: connection refused"),
    ("probe-lost", "the database probe did not answer within 10 s"),
    ("no-project", "the target's database is not known: give its Django project in qa-runner.toml"),
    ("wrong-process", "no process listens on port 8000 of this machine"),
    ("wrong-process", "process 77 does not run; correct the process rule of the target"),
    ("no-log", "the server log /var/log/shop.log does not exist; check the path"),
)


@pytest.mark.parametrize(("rule", "reason"), REASONS)
def test_what_was_not_measured_has_the_remedy_of_its_reason(
    tmp_path: Path, rule: str, reason: str
) -> None:
    one = Part("5.1", 0, [("query_time median < 100 ms", None, reason), ("lock_errors == 0", 0)])
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == [rule]
    assert rows[rule]["sentence"] == f"5.1-query-time-median could not be judged: {reason}."
    assert rows[rule]["remedy"]


def test_any_other_reason_is_told_as_it_is(tmp_path: Path) -> None:
    one = Part("5.1", 0, [("query_time median < 100 ms", None, "only 2 readings in this window")])
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["unmeasured"]
    assert rows["unmeasured"]["remedy"] == ""


WRONG = {
    "duplicates": "duplicate_payment_intents == 0",
    "orphans": "orphan_transactions == 0",
    "missing-balances": "users_without_balance == 0",
    "partial-writes": "users_without_transaction == 0",
    "unaccounted": "unaccounted_transactions == 0",
    "database-checks": "database_check_failures == 0",
}


@pytest.mark.parametrize("rule", WRONG)
def test_rows_that_are_wrong_say_what_they_are(tmp_path: Path, rule: str) -> None:
    others = [(text, 0.0) for name, text in WRONG.items() if name != rule]
    one = Part("8.2", 0, [(WRONG[rule], 7.0, "as it was noted"), *others])
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == [rule]
    assert " 7 " in rows[rule]["sentence"]
    assert rows[rule]["sentence"].endswith("(as it was noted).")
    assert rows[rule]["remedy"]


def test_the_cause_of_most_comes_first_and_five_at_most_are_told(tmp_path: Path) -> None:
    rows_of = Part("8.2", 0, [(text, 7.0) for text in WRONG.values()], start=40.0)
    locked = [RATE, "error_rate < 30 %", "lock_errors == 0"]
    one = Part("3.1", 20, [(text, 50.0) for text in locked], service=0.2)
    one.columns = {
        "outcome": ["server error"] * 10 + ["success"] * 10,
        "status": [500.0] * 10 + [201.0] * 10,
        "error": ["HTTP 500: database is locked"] * 10 + [""] * 10,
    }
    found = findings(Source(RunReader(store(tmp_path / "run", one, rows_of))))
    assert [row["rule"] for row in found["rows"]] == [
        "sqlite-lock-upgrade",
        "duplicates",
        "orphans",
        "missing-balances",
        "partial-writes",
    ]
    assert found["more"] == "2 more findings"


def test_a_lesser_cause_of_the_same_criterion_is_told_beside(tmp_path: Path) -> None:
    one = Part("3.1", 20, [(RATE, 0.0)])
    one.columns = {
        "outcome": ["server error"] * 12 + ["client error"] * 8,
        "status": [500.0] * 12 + [403.0] * 8,
        "error": ["HTTP 500: database is locked"] * 12 + ["HTTP 403: not allowed"] * 8,
    }
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["sqlite-lock-upgrade", "failed-requests"]
    assert rows["failed-requests"]["sentence"] == (
        "8 of 20 requests in 3.1 were answered HTTP 403 'not allowed'."
    )


def test_a_run_in_which_all_is_well_has_no_findings(tmp_path: Path) -> None:
    folder = store(tmp_path / "run", Part("3.1", 20, [(RATE, 100.0)]), tables={"server": server()})
    found = findings(Source(RunReader(folder)))
    assert not found["rows"]
    assert found["none"] == "Nothing: every criterion that was judged has passed."


def test_a_rule_that_fails_costs_its_sentence_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(evidence: Evidence) -> list[object]:
        raise KeyError(evidence.run.run_id)

    monkeypatch.setattr(registry, "RULES", (defect, *registry.RULES))
    one = Part("8.2", 0, [(WRONG["orphans"], 7.0)])
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["broken-rule", "orphans"]
    assert "the rule defect could not be applied" in rows["broken-rule"]["sentence"].lower()


def test_every_rule_copes_with_a_run_that_has_nothing(tmp_path: Path) -> None:
    every = [
        (RATE, 0.0),
        ("response_time p(95) < 1 s", None, "no request was answered"),
        ("server_memory growth < 50 MB", 60e6),
        ("server_cpu p(95) < 80 %", 90.0),
        ("database_connections growth < 5", 9.0),
        ("query_time median < 100 ms", 900.0),
        ("server_restarts == 0", 1.0),
        ("recovery_time < 30 s", 40.0),
        ("query_count drift <= 0", 3.0),
        ("server_cpu_from_idle <= 10 %", 20.0),
    ]
    rows = told(store(tmp_path / "run", Part("3.1", 0, every)))
    assert set(rows) == {"unexplained", "unmeasured"}


def test_what_nobody_answered_is_open_for_the_same_cause(tmp_path: Path) -> None:
    one = Part("7.1", 10, [(RATE, 0.0), ("silent_failures == 0", None, "no request was answered")])
    one.columns = {"outcome": "connection error", "status": 0.0, "error": "connection refused"}
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["failed-requests"]
    assert rows["failed-requests"]["sentence"].endswith("Also affected: 7.1-silent-failures.")
