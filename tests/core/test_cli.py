"""The command line in this process: what needs no target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from core_samples import run_result, step_result

from qa_runner.cli import exit_code, main
from qa_runner.history import update_history
from qa_runner.store import RunWriter
from qa_runner.verdict import Verdict


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), prog_name="qa-runner")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """One stored run of CASE-1, and one that was killed before it got into the history."""
    for name in ("run-20260102-030405", "run-20260103-030405"):
        with RunWriter.create(tmp_path / "case-1" / name) as writer:
            run = run_result(run_id=name, status="running" if "0103" in name else "finished")
            writer.write_result(run)
            if run.status == "finished":
                update_history(run, tmp_path / "case-1")
    return tmp_path


def test_help_names_every_command_and_the_exit_codes() -> None:
    text = invoke("--help").output
    for word in ("list", "show", "run", "rerun", "report", "runs", "demo", "130 interrupted"):
        assert word in text


def test_show_prints_steps_parts_parameters_and_criteria() -> None:
    text = invoke("show", "purchase-006").output
    assert "Step 8" in text
    assert "3.4.stairs = 1,2,5,10,20,50 users" in text
    assert "8.2-unaccounted-transactions" in text
    assert "(text: 120.0)" in invoke("show", "purchase-006", "--profile", "smoke").output


def test_show_as_json_has_every_criterion_of_the_case() -> None:
    shown = json.loads(invoke("show", "PURCHASE-006", "--json").output)
    ids = [c["id"] for s in shown["steps"] for p in s["parts"] for c in p["criteria"]]
    ids += [c["id"] for s in shown["steps"] for c in s["criteria"]]
    assert len(ids) == len(set(ids)) == 73
    assert {"1.2-status", "4.1-server-cpu-p95", "3-success-rate"} <= set(ids)


def test_list_as_json() -> None:
    assert [case["id"] for case in json.loads(invoke("list", "--json").output)] == ["PURCHASE-006"]


def test_runs_lists_also_what_was_killed(output: Path) -> None:
    listed = invoke("runs", "--output", str(output))
    assert listed.exit_code == 0
    first, second = listed.output.splitlines()
    assert first.startswith("run-20260102-030405  PASS")
    assert "running" in second
    rows = json.loads(invoke("runs", "CASE-1", "--output", str(output), "--json").output)
    assert [row["case"] for row in rows] == ["case-1", "case-1"]


def test_runs_of_a_case_without_any(output: Path) -> None:
    done = invoke("runs", "CASE-2", "--output", str(output))
    assert done.exit_code == 2
    assert "case-1" in done.output
    assert "no runs below" in invoke("runs", "--output", str(output / "none")).output


def test_report_renders_from_the_files(output: Path) -> None:
    done = invoke("report", "CASE-1", "--output", str(output))
    assert done.exit_code == 0, done.output
    assert "CASE-1" in Path(done.output.strip()).read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nothing"), "unknown test case 'nothing'"),
        (("run", "purchase-006", "--set", "x"), "PART.PARAMETER=VALUE"),
        (("run", "purchase-006", "--fault", "x"), "Valid: slow, errors"),
        (("rerun", "--step", "x", "--output", "none"), "whole step"),
        (("report", "x", "--output", "none"), "no runs below none"),
        (("show", "purchase-006", "--profile", "x"), "full, smoke"),
    ],
)
def test_one_line_and_exit_code_2(arguments: tuple[str, ...], words: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert len(done.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        ("finished", Verdict.PASS, 0),
        ("finished", Verdict.FAIL, 1),
        ("finished", Verdict.ERROR, 4),
        ("finished", Verdict.INCONCLUSIVE, 4),
        ("stopped", Verdict.FAIL, 3),
        ("interrupted", Verdict.PASS, 130),
        ("interrupted", Verdict.FAIL, 130),
    ],
)
def test_exit_codes(status: str, verdict: Verdict, code: int) -> None:
    run = run_result(status=status, verdict=verdict, steps=[step_result(verdict=verdict)])
    assert exit_code(run) == code
