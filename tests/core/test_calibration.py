"""The calibration: measured with a real generator and stub, kept for days, said in words."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import httpx
import msgspec
import psutil
import pytest

from qa_runner import calibration_cache
from qa_runner.calibration import Calibration, Capacity
from qa_runner.calibration_cache import cache_folder, calibrated, calibrated_anew
from qa_runner.clock import Clock
from qa_runner.errors import CalibrationError, GeneratorError, StopRequested
from qa_runner.load import calibrate as measuring
from qa_runner.load.calibrate import DELAY_SECONDS, RATE, USERS, calibrate
from qa_runner.load.plan import LoadPlan, RequestTemplate, Sequential
from qa_runner.load.process import GeneratorProcess
from qa_runner.load.stub_process import StubProcess
from qa_runner.stop import StopToken


def made(**changes: object) -> Calibration:
    values = Calibration(
        measured=datetime.now(UTC).isoformat(),
        event_loop="uvloop",
        stub_delay_seconds=0.02,
        users=50,
        overhead_requests=2000,
        overhead_p50_seconds=0.0003,
        overhead_p99_seconds=0.0018,
        arrival_rate=500,
        lateness_requests=500,
        lateness_p99_seconds=0.0004,
        keep_alive=Capacity(
            requests=20_000, requests_per_second=40_000, cpu_seconds_per_request=25e-6
        ),
        new_connections=Capacity(
            requests=4_000, requests_per_second=8_000, cpu_seconds_per_request=1e-4
        ),
    )
    return msgspec.structs.replace(values, **changes)


# ---------------------------------------------------------------- the stub


def test_the_stub_answers_at_once_or_later_and_says_how_long_it_took() -> None:
    with StubProcess() as stub, httpx.Client(base_url=stub.url, trust_env=False) as client:
        at_once = client.post("/", json={"a": 1})
        assert at_once.json()["took"] < DELAY_SECONDS
        for _ in range(3):
            answer = client.get("/after/20")
            assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")
            # Loops round to milliseconds.
            assert answer.json()["took"] >= 0.018
        closing_one = client.get("/", headers={"Connection": "close"})
        assert closing_one.headers["connection"] == "close"
        pid = stub.pid
    assert not psutil.pid_exists(pid)
    with pytest.raises(CalibrationError, match="not running"):
        _ = stub.pid


def test_the_stub_closes_on_what_is_not_http_and_goes_on() -> None:
    with StubProcess() as stub:
        port = int(stub.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as odd:
            odd.sendall(b"\x00\x01 nonsense\r\n\r\n")
            assert odd.recv(100) == b""
        assert httpx.get(stub.url, trust_env=False).status_code == 200


def test_the_stub_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from qa_runner.load.stub_process import StubProcess\n"
        "with StubProcess() as stub:\n"
        "    print(stub.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        stub = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    _, alive = psutil.wait_procs([stub], timeout=30)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_a_stub_that_cannot_start_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(CalibrationError, match="could not be started: No such file"), StubProcess():
        pass
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(CalibrationError, match="ended before it could be used"), StubProcess():
        pass


# ---------------------------------------------------------------- measuring


def test_a_generator_is_measured_and_then_sends_as_before() -> None:
    with closing(GeneratorProcess(Clock(), session=3)) as generator:
        generator.start()
        found = calibrate(generator, StopToken())
        assert len(generator.health()) == 0
        with StubProcess() as stub:
            plan = LoadPlan(
                number=1,
                shape=Sequential(requests=1),
                request=RequestTemplate(method="GET", url=stub.url),
                tag="t",
            )
            handle = generator.submit(plan, part="1.1", role="main")
            while not handle.finished:
                generator.poll(1)
            samples = handle.take()
    assert samples.text("outcome") == ["success"]
    assert samples.number("session").tolist() == [3]
    assert found.event_loop == generator.event_loop
    # A user sends at most 1 s / 20 ms requests.
    assert 20 <= found.overhead_requests <= USERS * 1.0 / DELAY_SECONDS
    assert 0 < found.overhead_p50_seconds <= found.overhead_p99_seconds
    assert 0 < found.lateness_requests <= RATE
    assert found.lateness_p99_seconds > 0
    for capacity in (found.keep_alive, found.new_connections):
        assert capacity.requests >= 20
        assert capacity.requests_per_second > 0
    assert found.keep_alive.cpu_seconds_per_request > 0
    assert found.capacity("new") is found.new_connections
    assert found.capacity("keep-alive") is found.keep_alive


def test_what_goes_wrong_while_measuring_ends_it() -> None:
    with closing(GeneratorProcess(Clock())) as generator:
        generator.start()
        stop = StopToken()
        stop.stop("by Ctrl-C")
        with pytest.raises(StopRequested, match="by Ctrl-C"):
            calibrate(generator, stop)
    with pytest.raises(GeneratorError, match="not running"):
        calibrate(generator, StopToken())


def test_a_stub_that_dies_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    class Doomed(StubProcess):
        def __enter__(self) -> Self:
            super().__enter__()
            os.kill(self.pid, signal.SIGKILL)
            return self

    monkeypatch.setattr(measuring, "StubProcess", Doomed)
    with closing(GeneratorProcess(Clock())) as generator:
        generator.start()
        with pytest.raises(CalibrationError, match=r"requests to the stub server .* succeeded: "):
            calibrate(generator, StopToken())


# ---------------------------------------------------------------- the cache


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Calibration]:
    """An empty cache, and what will be measured in turn instead of the real generator."""
    monkeypatch.setenv("QA_RUNNER_CACHE", str(tmp_path / "cache"))
    found = [made(), made(users=51), made(users=52)]
    monkeypatch.setattr(calibration_cache, "calibrate", lambda _generator, _stop: found.pop(0))
    return found


def ask() -> tuple[Calibration, bool]:
    """What is got, and whether it was said that it is measured."""
    said: list[bool] = []
    generator = GeneratorProcess(Clock())  # is not asked
    found = calibrated(generator, StopToken(), lambda: said.append(True))
    return found, bool(said)


@pytest.mark.usefixtures("kept")
def test_it_is_measured_once_for_a_machine() -> None:
    first, measured = ask()
    assert (first.users, first.from_cache, measured) == (50, False, True)
    second, measured = ask()
    assert (second, measured) == (msgspec.structs.replace(first, from_cache=True), False)
    anew = calibrated_anew(GeneratorProcess(Clock()), StopToken())
    assert (anew.users, anew.from_cache) == (51, False)
    assert ask() == (msgspec.structs.replace(anew, from_cache=True), False)
    (path,) = cache_folder().iterdir()  # no temporary file is left
    assert json.loads(path.read_bytes())["users"] == 51


@pytest.mark.parametrize(
    ("age", "busy", "valid"),
    [
        (timedelta(days=6), False, True),
        (timedelta(days=8), False, False),
        (timedelta(days=-1), False, False),  # the clock was set back
        (timedelta(minutes=5), True, True),
        (timedelta(minutes=15), True, False),
    ],
)
def test_it_is_kept_for_a_week_and_for_minutes_if_the_machine_was_busy(
    kept: list[Calibration], age: timedelta, *, busy: bool, valid: bool
) -> None:
    then = (datetime.now(UTC) - age).isoformat()
    late = 0.5 if busy else 0.001
    kept[0] = made(measured=then, lateness_p99_seconds=late)
    ask()
    assert ask()[0].from_cache == valid


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"measured": 5}', b"2026-11-21"],
)
def test_a_damaged_file_is_measured_anew(data: bytes) -> None:
    ask()
    (path,) = cache_folder().iterdir()
    path.write_bytes(data)
    assert ask()[0].users == 51
    assert ask()[0].users == 51


@pytest.mark.parametrize("when", ["yesterday", "2026-11-21T10:00:00"])
def test_a_time_that_says_nothing_is_measured_anew(kept: list[Calibration], when: str) -> None:
    kept[0] = made(measured=when)
    ask()
    assert ask()[0].users == 51


@pytest.mark.usefixtures("kept")
def test_a_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("QA_RUNNER_CACHE", str(tmp_path / "file" / "cache"))
    assert ask()[0].users == 50
    assert ask()[0].users == 51


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_engine", "other source"),
        ("_processor", "another CPU"),
        ("__version__", "99"),
    ],
)
def test_another_machine_or_engine_is_measured_anew(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    ask()
    monkeypatch.setattr(
        calibration_cache, name, value if name == "__version__" else (lambda: value)
    )
    assert ask()[0].users == 51
    assert len(list(cache_folder().iterdir())) == 2


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QA_RUNNER_CACHE", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("QA_RUNNER_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == Path("/caches/qa-runner")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "qa-runner"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "qa-runner"


# ---------------------------------------------------------------- in words


def test_a_machine_that_is_too_busy_is_told_in_a_sentence() -> None:
    assert not made(overhead_p99_seconds=0.02, lateness_p99_seconds=0.01).problem
    slow = made(overhead_p99_seconds=0.025)
    assert "adds up to 25 ms to a response time (" in slow.problem
    late = made(lateness_p99_seconds=0.011)
    assert "the load generator sends up to 11 ms late (" in late.problem
    assert late.added_seconds == 0.011
    both = made(overhead_p99_seconds=0.03, lateness_p99_seconds=0.04)
    assert "adds up to 30 ms to a response time and sends up to 40 ms late" in both.problem
    assert "\n" not in both.problem


def test_a_wait_ends_when_the_stop_comes_from_another_thread() -> None:
    stop = StopToken()
    with closing(GeneratorProcess(Clock())) as generator:
        generator.start()
        timer = threading.Timer(0.5, stop.stop, ["by SIGTERM"])
        timer.start()
        with pytest.raises(StopRequested, match="by SIGTERM"):
            calibrate(generator, stop)
        timer.join()
