"""Work shared by two processes: in a process of its own, since those of the tests have threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEGIN = "import os, signal, threading, time; from qa_runner.report.parallel import run_all\n"
TWO = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="work is shared on Linux, and on two processors at least",
)


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@TWO
def test_two_processes_share_it_and_the_order_stays() -> None:
    done = run(
        "job = lambda n: lambda: (n, os.getpid(), time.sleep(0.05)); "
        "found = run_all([job(n) for n in range(12)]); "
        "print([n for n, *_ in found], len({pid for _, pid, _ in found}))"
    )
    assert done.stdout.strip() == f"{list(range(12))} 2", done.stderr


@TWO
def test_what_a_killed_process_had_taken_is_done_again() -> None:
    done = run(
        "mine = os.getpid()\n"
        "def job():\n"
        "    time.sleep(0.05)\n"
        "    if os.getpid() != mine: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return os.getpid() == mine\n"
        "print(run_all([job] * 6))"
    )
    assert done.stdout.strip() == str([True] * 6), done.stderr


def test_an_error_is_that_of_the_job() -> None:
    done = run(
        "def wrong(): raise ValueError('no such chart')\n"
        "try: run_all([os.getpid, wrong, os.getpid])\n"
        "except ValueError as error: print(error)"
    )
    assert done.stdout.strip() == "no such chart", done.stderr
    assert not done.stderr


@pytest.mark.parametrize(
    "before",
    [
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        pytest.param(
            "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux'"),
        ),
    ],
)
def test_one_process_where_two_are_not_safe_or_no_use(before: str) -> None:
    done = run(
        f"{before}; job = lambda: (os.getpid(), time.sleep(0.05)); "
        "print({pid for pid, _ in run_all([job] * 6)} == {os.getpid()})"
    )
    assert done.stdout.strip() == "True", done.stderr
