"""Work shared by two processes: in a process of its own, since those of the tests have threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from run_factory import whole
from waiting import wait_until

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


@TWO
def test_an_answer_that_was_cut_off_is_made_again() -> None:
    done = run(
        "mine = os.getpid()\n"
        "class Deadly:\n"
        "    def __reduce__(self): os.kill(os.getpid(), signal.SIGKILL)\n"
        "def job():\n"
        "    time.sleep(0.05)\n"
        "    return 'here' if os.getpid() == mine else [b'x' * 10**6, Deadly()]\n"
        "print(run_all([job] * 4))"
    )
    assert done.stdout.strip() == str(["here"] * 4), done.stderr


@TWO
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_helper_goes_with_who_is_killed(number: int) -> None:
    code = (
        "def job():\n"
        "    os.write(1, f'{os.getpid()}\\n'.encode())\n"
        "    time.sleep(0.3)\n"
        "    return b'x' * 10**6\n"
        "run_all([job] * 100)"
    )
    owner = subprocess.Popen([sys.executable, "-c", BEGIN + code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    pids = {int(owner.stdout.readline()) for _ in range(2)}
    owner.send_signal(number)
    owner.wait()
    owner.stdout.close()
    (helper,) = pids - {owner.pid}
    assert wait_until(lambda: not psutil.pid_exists(helper))


@TWO
def test_the_page_has_the_same_bytes_from_one_process_and_from_two(tmp_path: Path) -> None:
    folder = whole(tmp_path / "run", failing=0.5, scale=0.1)
    pages = []
    for before in ("pass", "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"):
        done = run(
            f"{before}\n"
            "from pathlib import Path; from qa_runner.report.html import render; import sys\n"
            f"render(Path({str(folder)!r}))"
        )
        assert done.returncode == 0, done.stderr
        pictures = sorted((folder / "figures").iterdir())
        pages.append([path.read_bytes() for path in (folder / "report.html", *pictures)])
    assert pages[0] == pages[1]


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
