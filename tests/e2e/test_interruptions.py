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
    path = (folder_of(tmp_path) or tmp_path) / "samples" / name
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


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
    wait_until(lambda: rows(tmp_path, "step-4-attempt-1.csv") >= 3)
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
    assert sum(load["outcomes"].values()) == rows(tmp_path, "step-4-attempt-1.csv") >= 3
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
    wait_until(lambda: rows(tmp_path, "step-6-attempt-1.csv") >= 10)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert stored(tmp_path)["steps"][5]["attempts"][0]["parts"][0]["loads"]


def test_kill_of_the_runner_loses_nothing_that_was_measured(
    background: Background, cli: Cli, tmp_path: Path
) -> None:
    process = background(*LONG)
    wait_for_line(process, "Step 4")
    wait_until(lambda: rows(tmp_path, "step-4-attempt-1.csv") >= 3)
    process.kill()
    process.communicate()
    done = cli("report")
    assert done.code == 0, done.stderr
    run = stored(tmp_path)
    assert run["status"] == "running"
    assert run["steps"][1]["verdict"] == "PASS"
    page = Path(tmp_path / done.stdout.strip()).read_text()
    assert 'id="step-2"' in page
    assert rows(tmp_path, "step-4-attempt-1.csv") >= 3
    assert folder_of(tmp_path).name in cli("runs").stdout  # type: ignore[union-attr]
    # And the run can be taken up again.
    again = cli("rerun", "--step", "3", "--quiet")
    assert again.code in (0, 4), again.stderr
    assert stored(tmp_path)["steps"][2]["verdict"] == "PASS"


def test_kill_of_the_server_is_told_and_survived(background: Background, tmp_path: Path) -> None:
    process = background(*RUN, "--step", "3.3", "--set", "3.3.stagger=0.1")
    wait_for_line(process, "Step 3")
    server = child(process, "qa_runner.demo server")
    wait_until(lambda: rows(tmp_path, "step-3-attempt-1.csv") >= 5)
    server.kill()
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 1, out + errors
    assert "Traceback" not in errors
    run = stored(tmp_path)
    assert criteria(run)["3.3-server-restarts"]["measured"] == 1
    assert criteria(run)["3.3-server-restarts"]["verdict"] == "FAIL"
    assert any("ended" in note for note in run["notes"])


def test_kill_of_the_generator_is_an_error_and_the_run_goes_on(
    background: Background, tmp_path: Path
) -> None:
    process = background(*RUN, "--step", "3.1", "--step", "4", "--step", "7")
    wait_for_line(process, "Step 4")
    generator = child(process, "qa_runner.load.generator")
    wait_until(lambda: rows(tmp_path, "step-4-attempt-1.csv") >= 3)
    generator.kill()
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 4, out + errors
    steps = {step["number"]: step for step in stored(tmp_path)["steps"]}
    assert steps[4]["verdict"] == "ERROR"
    assert "SIGKILL" in steps[4]["attempts"][0]["parts"][0]["error"]
    assert steps[7]["verdict"] == "PASS"


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
    assert process.returncode == 0
    assert "Traceback" not in errors


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
