"""The generator as a process: its life, its death, and what is said about either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from load_bench import Bench, RawServer

from qa_runner.clock import Clock
from qa_runner.errors import GeneratorError
from qa_runner.load.plan import (
    Burst,
    ConstantArrivalRate,
    LoadPlan,
    RequestTemplate,
    Sequential,
    Shape,
    Staircase,
    VirtualUsers,
)
from qa_runner.load.process import GeneratorProcess

Serve = Callable[..., RawServer]


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return  # ended; whoever adopted it has not reaped it yet
        except psutil.NoSuchProcess:
            return
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.02)


def test_session_of_its_own_and_nothing_left_after_close(answering: Serve) -> None:
    mine = psutil.Process()
    descriptors = mine.num_fds()
    bench = Bench()
    pid = bench.process.pid
    assert os.getsid(pid) == pid
    assert bench.row(answering().url)["outcome"] == "success"
    bench.process.close()
    bench.process.close()
    assert not psutil.pid_exists(pid)  # reaped too
    with pytest.raises(GeneratorError, match="not running"):
        _ = bench.process.pid
    with pytest.raises(GeneratorError, match="not running"):
        bench.process.poll(0)
    # The listening socket of the server, and of its one connection, are all that came on top.
    assert mine.num_fds() <= descriptors + 2


def test_close_during_a_load_is_quick_and_marks_it(own_bench: Bench, answering: Serve) -> None:
    handle = own_bench.submit(answering().url, VirtualUsers(users=5, duration_seconds=600))
    own_bench.until(lambda: handle.progress.done > 0)
    pid = own_bench.process.pid
    own_bench.process.close()
    assert not psutil.pid_exists(pid)
    assert (handle.finished, handle.stop_reason) == (True, "generator ended")


def test_close_ends_a_generator_that_hangs(own_bench: Bench) -> None:
    pid = own_bench.process.pid
    os.kill(pid, signal.SIGSTOP)
    own_bench.process.close()
    assert not psutil.pid_exists(pid)


def test_generator_that_is_killed_is_reported_and_its_samples_stay(
    own_bench: Bench, answering: Serve
) -> None:
    handle = own_bench.submit(answering().url, Sequential(requests=1000, pause_seconds=0.05))
    own_bench.until(lambda: handle.progress.done >= 3)
    os.kill(own_bench.process.pid, signal.SIGKILL)
    with pytest.raises(GeneratorError, match="the load generator ended: killed by SIGKILL"):
        own_bench.wait(handle)
    assert (handle.finished, handle.stop_reason) == (True, "generator ended")
    table = handle.take()
    assert len(table) >= 3
    assert set(table.text("outcome")) == {"success"}
    handle.stop()  # harmless
    with pytest.raises(GeneratorError, match="not running"):
        own_bench.submit("http://127.0.0.1:9/")


def test_crash_is_reported_in_one_line(own_bench: Bench) -> None:
    process = own_bench.process._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.write(b"\xff" * 64)
    with pytest.raises(GeneratorError, match="exit code 70; it said: ValueError: ") as caught:
        own_bench.until(lambda: False)
    assert "\n" not in str(caught.value)


PARENT = """
import os, sys
from qa_runner.clock import Clock
from qa_runner.load.plan import LoadPlan, RequestTemplate, VirtualUsers
from qa_runner.load.process import GeneratorProcess

generator = GeneratorProcess(Clock())
generator.start()
plan = LoadPlan(
    number=1,
    shape=VirtualUsers(users=3, duration_seconds=600, think_time_seconds=0.01),
    request=RequestTemplate(method="GET", url=sys.argv[1]),
    tag="t",
)
handle = generator.submit(plan, part="1", role="main")
while not handle.progress.done:
    generator.poll(1)
print(generator.pid, flush=True)
while True:
    generator.poll(1)
"""


def test_generator_ends_when_its_parent_is_killed(answering: Serve, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, answering().url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    wait_until_gone(pid)


def test_modules_of_the_current_folder_are_not_taken_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answering: Serve
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('wrong module')\n")
    (tmp_path / "qa_runner.py").write_text("raise SystemExit('wrong module')\n")
    monkeypatch.chdir(tmp_path)
    bench = Bench()
    try:
        assert bench.row(answering().url)["outcome"] == "success"
    finally:
        bench.process.close()


def test_without_uvloop_the_loop_of_the_standard_library_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answering: Serve
) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    bench = Bench()
    try:
        assert bench.process.event_loop == "asyncio"
        server = answering()
        table = bench.run(server.url, VirtualUsers(users=5, requests=50), connections="keep-alive")
        assert table.text("outcome") == ["success"] * 50
        assert server.connections == 5
        table = bench.run(server.url, ConstantArrivalRate(rate=50, duration_seconds=0.4))
        assert (table.number("started") >= table.number("due")).all()
        assert table.text("outcome") == ["success"] * 20
        refused = bench.row("http://127.0.0.1:1/")
        assert refused["error"] == "connection refused"
    finally:
        bench.process.close()


def test_environment_without_the_package_on_its_path_still_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    bench = Bench()
    bench.process.close()


def test_health_has_a_row_each_second(own_bench: Bench) -> None:
    own_bench.process.health()
    begin = time.monotonic()
    seen = 0
    while seen < 2 and time.monotonic() < begin + 30:
        own_bench.process.poll(0.5)
        table = own_bench.process.health()
        seen += len(table)
        for time_seconds, cpu in zip(
            table.number("time"), table.number("cpu_percent"), strict=True
        ):
            assert 0 < time_seconds <= own_bench.clock.now()
            assert 0 <= cpu < 400
        assert (table.number("loop_lag_seconds") >= 0).all()
        assert (table.number("in_flight") == 0).all()
    assert seen >= 2
    assert len(own_bench.process.health()) == 0


BAD: dict[str, tuple[str, Shape, str]] = {
    "scheme": ("ftp://127.0.0.1/", Sequential(requests=1), "must begin with http"),
    "host": ("http:///x", Sequential(requests=1), "needs a host"),
    "varying host": ("http://a{i}/", Sequential(requests=1), "does not vary"),
    "port": ("http://127.0.0.1:99999/", Sequential(requests=1), "not usable"),
    "negative": ("http://127.0.0.1/", Burst(requests=-1), "requests must not be -1"),
    "no users": ("http://127.0.0.1/", VirtualUsers(users=0, requests=1), "at least one"),
    "endless": ("http://127.0.0.1/", VirtualUsers(users=1), "number of requests or a dur"),
    "rate": ("http://127.0.0.1/", ConstantArrivalRate(rate=0, duration_seconds=1), "above 0"),
    "stairs": ("http://127.0.0.1/", Staircase(stairs=(), seconds_per_stair=1), "needs stairs"),
}


@pytest.mark.parametrize("kind", BAD)
def test_plan_that_cannot_be_sent_is_refused_before_it_is(bench: Bench, kind: str) -> None:
    url, shape, message = BAD[kind]
    with pytest.raises(ValueError, match=message):
        bench.submit(url, shape)


def test_number_can_be_used_once(own_bench: Bench, answering: Serve) -> None:
    plan = LoadPlan(
        number=5,
        shape=Sequential(requests=1),
        request=RequestTemplate(method="GET", url=answering().url),
        tag="t",
    )
    own_bench.wait(own_bench.process.submit(plan, part="1.1", role="main"))
    with pytest.raises(ValueError, match="already"):
        own_bench.process.submit(plan, part="1.1", role="main")


def test_generator_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(GeneratorError, match="could not be started: No such file"):
        GeneratorProcess(Clock()).start()


def test_generator_loads_nothing_heavy() -> None:
    code = "import sys, qa_runner.load.generator; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert not {"numpy", "scipy", "matplotlib", "django", "httpx"} & set(loaded)
