from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from core_samples import run_result, step_result

from qa_runner.errors import OutputError, RunFolderError
from qa_runner.history import read_history, update_history
from qa_runner.result import TargetResult
from qa_runner.verdict import Verdict

HISTORY = "run_id,timestamp,overall_result,steps_passed,steps_failed,target,environment,notes"
LATEST = "test_id,test_name,description,last_run,overall_status,total_runs,pass_count,fail_count"


def enter(output: Path, number: int = 1, **changes: Any) -> None:
    folder = output / "case-1"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"2026010{number}"
    values = {"run_id": f"run-{stamp}-000000", "started": f"2026-01-0{number}T00:00:00+00:00"}
    update_history(run_result(**values | changes), folder)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def latest(output: Path) -> dict[str, str]:
    (row,) = rows(output / "latest_runs.csv")
    return row


def counts(output: Path) -> tuple[str, str, str]:
    """Runs, passes and failures of the one case."""
    row = latest(output)
    return row["total_runs"], row["pass_count"], row["fail_count"]


def test_the_columns_are_those_that_qa_teams_already_use(tmp_path: Path) -> None:
    enter(tmp_path)
    assert (tmp_path / "case-1" / "runs.csv").read_text().splitlines()[0] == HISTORY
    assert (tmp_path / "latest_runs.csv").read_text().splitlines()[0] == LATEST


def test_a_run_is_entered_into_both_files(tmp_path: Path) -> None:
    steps = [
        step_result(1),
        step_result(2, verdict=Verdict.FAIL),
        step_result(3, verdict=Verdict.INCONCLUSIVE),
        step_result(4, verdict=Verdict.FAIL, selected=False),
    ]
    enter(tmp_path, steps=steps, verdict=Verdict.FAIL)
    (row,) = rows(tmp_path / "case-1" / "runs.csv")
    assert row == {
        "run_id": "run-20260101-000000",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "overall_result": "FAIL",
        "steps_passed": "1",
        "steps_failed": "1",
        "target": "demo",
        "environment": "embedded",
        "notes": "fault slow",
    }
    assert latest(tmp_path) == {
        "test_id": "CASE-1",
        "test_name": "A case",
        "description": "What it is for",
        "last_run": "2026-01-01T00:00:00+00:00",
        "overall_status": "FAIL",
        "total_runs": "1",
        "pass_count": "0",
        "fail_count": "1",
    }


def test_the_latest_run_is_the_newest_and_all_are_counted(tmp_path: Path) -> None:
    enter(tmp_path, 2, verdict=Verdict.FAIL)
    enter(tmp_path, 3, verdict=Verdict.INCONCLUSIVE)
    enter(tmp_path, 1, verdict=Verdict.PASS)  # entered last, but older
    assert [row["run_id"][4:12] for row in read_history(tmp_path / "case-1")] == [
        "20260101",
        "20260102",
        "20260103",
    ]
    row = latest(tmp_path)
    assert row["last_run"].startswith("2026-01-03")
    assert row["overall_status"] == "INCONCLUSIVE"
    assert counts(tmp_path) == ("3", "1", "1")


@pytest.mark.parametrize("scope", ["profile smoke", "step 3 only", "changed parameters"])
def test_a_shortened_or_partial_run_is_noted_as_such_and_is_no_pass(
    tmp_path: Path, scope: str
) -> None:
    enter(tmp_path, scope=scope)
    (row,) = rows(tmp_path / "case-1" / "runs.csv")
    assert row["overall_result"] == f"PASS ({scope})"
    assert scope in row["notes"]
    assert counts(tmp_path) == ("1", "0", "0")


@pytest.mark.parametrize("status", ["interrupted", "crashed", "stopped", "running"])
def test_a_run_that_did_not_finish_is_noted(tmp_path: Path, status: str) -> None:
    enter(tmp_path, status=status, verdict=Verdict.INCONCLUSIVE)
    (row,) = rows(tmp_path / "case-1" / "runs.csv")
    assert status in row["notes"]
    assert counts(tmp_path) == ("1", "0", "0")


def test_a_rerun_updates_the_row_of_its_run(tmp_path: Path) -> None:
    enter(tmp_path, 1, verdict=Verdict.FAIL)
    enter(tmp_path, 2)
    enter(tmp_path, 1, verdict=Verdict.PASS, steps=[step_result(attempts=3)])
    first, second = rows(tmp_path / "case-1" / "runs.csv")
    assert first["overall_result"] == "PASS"
    assert "2 reruns" in first["notes"]
    assert second["run_id"] == "run-20260102-000000"
    assert counts(tmp_path) == ("2", "2", "0")


def test_other_cases_keep_their_row(tmp_path: Path) -> None:
    enter(tmp_path, test_id="CASE-2")
    enter(tmp_path, test_id="CASE-1")
    enter(tmp_path, 2, test_id="CASE-2")
    assert [row["test_id"] for row in rows(tmp_path / "latest_runs.csv")] == ["CASE-1", "CASE-2"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula_however_often_it_is_written(tmp_path: Path, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    target = TargetResult(name="url", url=evil, environment=evil)
    for number in (1, 2, 1):
        enter(tmp_path, number, target=target, test_name=evil, description=evil, scope=evil)
    harmless = f"'{evil}".replace("\r", "\n")
    for row in rows(tmp_path / "case-1" / "runs.csv"):
        assert row["target"] == row["environment"] == harmless
    row = latest(tmp_path)
    assert row["test_name"] == row["description"] == harmless


def test_commas_quotes_and_newlines_read_back(tmp_path: Path) -> None:
    words = 'a "quoted", odd\nname — ünïcode'
    enter(tmp_path, test_name=words, description=words)
    enter(tmp_path, 2, test_name=words, description=words)
    assert latest(tmp_path)["description"] == words


def test_half_characters_are_written_out(tmp_path: Path) -> None:
    enter(tmp_path, target=TargetResult(name="url", url="http://x/\udce9", environment="local"))
    assert rows(tmp_path / "case-1" / "runs.csv")[0]["target"] == "http://x/\\udce9"


FOREIGN = {
    "other columns": b"id,result\n1,PASS\n",
    "more columns": f"{HISTORY},owner\n".encode(),
    "no csv": b"\x89PNG\r\n\x1a\n\x00\x00",
    "no text": b"\xff\xfe\x00a",
    "an empty line": b"\n",
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("name", ["case-1/runs.csv", "latest_runs.csv"])
def test_a_foreign_file_is_refused_in_one_line_and_left_alone(
    tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with pytest.raises(RunFolderError) as caught:
        enter(tmp_path)
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert path.read_bytes() == data


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    enter(tmp_path)
    path = tmp_path / "case-1" / "runs.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    enter(tmp_path, 2)
    assert len(read_history(tmp_path / "case-1")) == 2


def test_an_empty_file_is_a_new_table(tmp_path: Path) -> None:
    (tmp_path / "case-1").mkdir()
    (tmp_path / "case-1" / "runs.csv").write_text("")
    enter(tmp_path)
    assert len(read_history(tmp_path / "case-1")) == 1
    assert read_history(tmp_path / "case-9") == []


def test_a_history_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises((OutputError, RunFolderError), match=r"runs\.csv"):
        update_history(run_result(), tmp_path / "plain")


_ENTER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from core_samples import run_result
from qa_runner.history import update_history
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    update_history(run_result(run_id=f"run-{sys.argv[2]}-{number:02}"), Path(sys.argv[1]))
"""


def test_runs_that_end_at_the_same_time_are_all_entered(tmp_path: Path) -> None:
    folder = tmp_path / "case-1"
    folder.mkdir()
    here = str(Path(__file__).parent)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _ENTER, str(folder), name, here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for name in ("a", "b", "c")
    ]
    try:
        for writer in writers:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin
            writer.stdin.write("go\n")
            writer.stdin.flush()
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert len(read_history(folder)) == 45
    assert latest(tmp_path)["total_runs"] == "45"
