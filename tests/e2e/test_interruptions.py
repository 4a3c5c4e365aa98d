"""Ctrl-C, kill -9 of each process: nothing is lost, nobody left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from running import Cli, criteria

from qa_runner.store import RunReader

Background = Callable[..., "subprocess.Popen[str]"]
RUN = ("run", "purchase-006", "--profile", "smoke")
LONG = (*RUN, "--step", "2", "--step", "4", "--set", "4.1.duration=60")

pytestmark = pytest.mark.usefixtures("no_orphans")


def wait_for_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"'{words}' was never printed: {process.communicate()}")


def wait_until(what: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    pytest.fail("waited in vain")


def folder_of(tmp_path: Path) -> Path | None:
    return next((tmp_path / "artifacts" / "purchase-006").glob("run-*"), None)


def stored(tmp_path: Path) -> dict[str, Any]:
    folder = folder_of(tmp_path)
    assert folder is not None
    return json.loads((folder / "run.json").read_text())


def rows(tmp_path: Path, name: str) -> int:
    return len(RunReader(folder_of(tmp_path) or tmp_path).samples(f"samples/{name}"))


def child(process: subprocess.Popen[str], words: str) -> psutil.Process:
    def find() -> psutil.Process | None:
        for candidate in psutil.Process(process.pid).children(recursive=True):
            if words in " ".join(candidate.cmdline()):
                return candidate
        return None

    return wait_until(find)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_stop_during_load_keeps_what_was_measured_and_renders_it(
    background: Background, tmp_path: Path, number: signal.Signals
) -> None:
    process = background(*LONG)
    wait_for_line(process, "Step 4")
    wait_until(lambda: rows(tmp_path, "step-4-attempt-1.npy") >= 3)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    run = stored(tmp_path)
    assert run["status"] == "interrupted"
    steps = {step["number"]: step for step in run["steps"]}
    assert steps[2]["verdict"] == "PASS"
    assert steps[4]["verdict"] == "INCONCLUSIVE"
    load = steps[4]["attempts"][0]["parts"][0]["loads"][0]
    assert sum(load["outcomes"].values()) == rows(tmp_path, "step-4-attempt-1.npy") >= 3
    assert {c["verdict"] for k, c in criteria(run).items() if k.startswith("4")} == {"INCONCLUSIVE"}
    folder = folder_of(tmp_path)
    assert folder is not None
    assert "nterrupted" in (folder / "report.html").read_text()
    assert "interrupted" in (tmp_path / "artifacts/purchase-006/runs.csv").read_text()


def test_ctrl_c_before_the_first_step(background: Background, tmp_path: Path) -> None:
    process = background(*LONG)
    # The run folder is there once the target is being started.
    wait_until(lambda: folder_of(tmp_path))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert stored(tmp_path)["status"] == "interrupted"


def test_ctrl_c_while_waiting_between_requests(background: Background, tmp_path: Path) -> None:
    process = background(*RUN, "--step", "6.1", "--set", "6.1.bursts=1", "--set", "6.1.settling=60")
    wait_for_line(process, "Step 6")
    wait_until(lambda: rows(tmp_path, "step-6-attempt-1.npy") >= 10)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert stored(tmp_path)["steps"][5]["attempts"][0]["parts"][0]["loads"]


def test_kill_of_the_runner_loses_nothing_that_was_measured(
    background: Background, cli: Cli, tmp_path: Path
) -> None:
    process = background(*LONG)
    wait_for_line(process, "Step 4")
    wait_until(lambda: rows(tmp_path, "step-4-attempt-1.npy") >= 3)
    process.kill()
    process.communicate()
    done = cli("report")
    assert done.code == 0, done.stderr
    run = stored(tmp_path)
    assert run["status"] == "running"
    assert run["steps"][1]["verdict"] == "PASS"
    # As of a run that was interrupted: all of the scope, judged or not.
    unreached = {held["id"] for held in run["steps"][3]["unreached"]}
    assert {"4.1-success-rate", "4.1-server-memory-slope"} <= unreached
    page = Path(tmp_path / done.stdout.strip()).read_text()
    assert 'id="step-2"' in page
    assert f"Not reached · {len(unreached)} criteria inconclusive" in page
    assert rows(tmp_path, "step-4-attempt-1.npy") >= 3
    assert folder_of(tmp_path).name in cli("runs").stdout  # type: ignore[union-attr]
    # And the run can be taken up again.
    again = cli("rerun", "--step", "3", "--quiet")
    # Step 4 was asked for and is still not measured.
    assert again.code == 4, again.stderr
    assert stored(tmp_path)["steps"][2]["verdict"] == "PASS"


def test_kill_of_the_server_is_told_and_survived(background: Background, tmp_path: Path) -> None:
    process = background(*RUN, "--step", "3.3", "--set", "3.3.stagger=0.1")
    wait_for_line(process, "Step 3")
    server = child(process, "qa_runner.demo server")
    wait_until(lambda: rows(tmp_path, "step-3-attempt-1.npy") >= 5)
    server.kill()
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 1, out + errors
    assert "Traceback" not in errors
    run = stored(tmp_path)
    assert criteria(run)["3.3-server-restarts"]["measured"] == 1
    assert criteria(run)["3.3-server-restarts"]["verdict"] == "FAIL"
    assert any("ended" in note for note in run["notes"])


HEAVY = ("--step", "2", "--step", "8", "--set", "8.1.duration=8")


def test_kill_of_the_generator_is_an_error_and_accuses_nobody(
    background: Background, tmp_path: Path
) -> None:
    process = background(*RUN, *HEAVY)
    wait_for_line(process, "Step 8")
    generator = child(process, "qa_runner.load.generator")
    wait_until(lambda: rows(tmp_path, "step-8-attempt-1.npy") >= 50)
    generator.kill()
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 4, out + errors
    assert "Traceback" not in errors
    step = stored(tmp_path)["steps"][7]
    assert step["verdict"] == "ERROR"
    assert "SIGKILL" in step["attempts"][0]["parts"][0]["error"]
    # What was under way may be stored or not; nobody can know, and the run goes on.
    judged = criteria(stored(tmp_path))
    assert judged["8.2-unaccounted-transactions"]["verdict"] == "PASS"
    assert judged["8.2-orphan-transactions"]["verdict"] == "PASS"


def test_kill_of_the_runner_under_load_accuses_nobody_later(
    background: Background, cli: Cli, tmp_path: Path
) -> None:
    process = background(*RUN, *HEAVY)
    wait_for_line(process, "Step 8")
    wait_until(lambda: rows(tmp_path, "step-8-attempt-1.npy") >= 50)
    process.kill()
    process.communicate()
    done = cli("rerun", "--step", "8", "--json")
    assert done.code == 0, done.stderr
    attempts = done.run["steps"][7]["attempts"]
    assert [attempt["verdict"] for attempt in attempts] == ["INCONCLUSIVE", "PASS"]
    assert attempts[0]["samples"] != attempts[1]["samples"]
    assert criteria(done.run)["8.2-unaccounted-transactions"]["verdict"] == "PASS"


def test_a_database_probe_that_keeps_dying_passes_nothing(
    background: Background, tmp_path: Path
) -> None:
    process = background(*RUN, "--step", "5.1", "--set", "5.1.watch=14")
    wait_for_line(process, "Step 5")
    first = child(process, os.path.join("monitors", "probe"))  # noqa: PTH118 (of a command)
    first.kill()
    first.wait(10)
    child(process, os.path.join("monitors", "probe")).kill()  # noqa: PTH118
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 4, out + errors
    judged = criteria(stored(tmp_path))
    for name in ("query-time-median", "query-time-drift", "row-count-violations"):
        assert judged[f"5.1-{name}"]["verdict"] == "INCONCLUSIVE"
        assert judged[f"5.1-{name}"]["reason"]


def test_kill_of_the_database_probe_is_survived(background: Background, tmp_path: Path) -> None:
    process = background(*RUN, "--step", "5.1")
    wait_for_line(process, "Step 5")
    child(process, os.path.join("monitors", "probe")).kill()  # noqa: PTH118 (a part of a command)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, out + errors
    assert any("started again" in note for note in stored(tmp_path)["notes"])


def test_the_demo_in_the_foreground(background: Background, cli: Cli) -> None:
    process = background("demo", "--port", "0")
    assert process.stdout is not None
    url = process.stdout.readline().split()[3]
    port = url.rsplit(":", 1)[1]
    taken = cli("demo", "--port", port)
    assert taken.code == 2
    assert "in use" in taken.error
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_double_ctrl_c_still_keeps_and_renders(background: Background, tmp_path: Path) -> None:
    process = background(*LONG)
    wait_for_line(process, "Step 4")
    wait_until(lambda: rows(tmp_path, "step-4-attempt-1.npy") >= 3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping" in errors
    assert stored(tmp_path)["status"] == "interrupted"
    folder = folder_of(tmp_path)
    assert folder is not None
    assert (folder / "report.html").exists()


def test_two_processes_do_not_write_one_run(
    background: Background, cli: Cli, tmp_path: Path
) -> None:
    process = background(*LONG)
    wait_for_line(process, "Step 4")
    refused = cli("rerun", "--step", "3")
    assert refused.code == 2
    assert "being written" in refused.error
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
