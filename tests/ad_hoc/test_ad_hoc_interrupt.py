"""Ctrl-C, and a generator that dies: what was measured is said, nobody is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from ad_hoc_bench import COMMAND, start
from answering_site import Answer, AnsweringSite
from waiting import wait_until

Serve = Callable[..., AnsweringSite]


def generator_of(process: subprocess.Popen[str]) -> psutil.Process:
    (child,) = psutil.Process(process.pid).children()
    return child


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=30)
    finally:
        process.kill()


def test_ctrl_c_prints_what_was_measured(site: Serve, tmp_path: Path) -> None:
    server = site(lambda _seen, _number: Answer(before=lambda: time.sleep(0.01)))
    process = start(
        tmp_path,
        *(server.url, "--duration", "60", "--format", "json", "--report", "page.html"),
        *("--expect", "success_rate == 100 %"),
    )
    assert wait_until(lambda: len(server.seen) > 20)
    generator = generator_of(process)
    process.send_signal(signal.SIGINT)
    output, errors = ended(process)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not generator.is_running()
    found = json.loads(output)
    assert found["status"] == "interrupted"
    assert found["requests"] >= 20
    assert found["verdict"] == "INCONCLUSIVE"
    assert "nterrupted" in (tmp_path / "page.html").read_text()


def test_a_dead_generator_is_an_error_with_what_was_measured(site: Serve, tmp_path: Path) -> None:
    server = site(lambda _seen, _number: Answer(before=lambda: time.sleep(0.01)))
    process = start(tmp_path, server.url, "--duration", "60", "--expect", "requests > 1")
    assert wait_until(lambda: len(server.seen) > 100)
    os.kill(generator_of(process).pid, signal.SIGKILL)
    output, errors = ended(process)
    assert process.returncode == 4
    assert "Error: the load generator ended: killed by SIGKILL" in errors
    assert "of 0 requests" not in output
    assert "INCONCLUSIVE  requests > 1" in output
    assert "did not go to its end" in output


def test_ctrl_c_before_any_answer_says_how_many_had_none(site: Serve, tmp_path: Path) -> None:
    over = threading.Event()
    server = site(lambda _seen, _number: Answer(before=lambda: over.wait(60)))
    process = start(tmp_path, server.url, "--duration", "60", "-u", "3")
    assert wait_until(lambda: len(server.seen) == 3)
    process.send_signal(signal.SIGINT)
    output, _ = ended(process)
    over.set()
    assert process.returncode == 130
    assert "3 requests had no answer yet when the load was stopped." in output
    assert "No request was sent" not in output


def test_a_reader_that_left_before_the_text_is_no_failed_criterion(
    site: Serve, tmp_path: Path
) -> None:
    process = start(tmp_path, site().url)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 130
    assert process.stderr is not None
    assert not process.stderr.read()
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_output_that_cannot_be_written_is_one_line(site: Serve, form: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "load", site().url, "--format", form],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    line = "Error: cannot write the output: No space left on device; make room for it\n"
    assert done.stderr == line


def test_a_reader_that_leaves_ends_the_load(site: Serve, tmp_path: Path) -> None:
    server = site(lambda _seen, _number: Answer(before=lambda: time.sleep(0.01)))
    process = start(tmp_path, server.url, "--duration", "60", "--format", "csv")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("iteration,user,due")
    process.stdout.close()
    assert process.wait(30) == 130
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
