"""The servers and the watching of processes, with real ones."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.bare_timer import bare_timer_p99
from benchmarks.child import finish, started
from benchmarks.compiler import compiled
from benchmarks.delay_server import DELAY_SECONDS, delaying
from benchmarks.job import BenchmarkError, Job
from benchmarks.measure import Bench
from benchmarks.nginx import serving
from benchmarks.section import Case
from benchmarks.tools.qa_runner import LoadEngine
from benchmarks.watch import MAIN, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
REQUEST = b"POST /purchase HTTP/1.%d\r\nHost: x\r\n%bContent-Length: 3\r\n\r\nabc"


def exchange(url: str, *sent: bytes) -> list[bytes]:
    """Send on one connection; what came back after each, until the server closes or answers."""
    parts = urlsplit(url)
    found = []
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as link:
        for data in sent:
            link.sendall(data)
            found.append(link.recv(4096))
    return found


@needs_compiler
def test_delay_server_answers_late_and_logs_when(tmp_path: Path) -> None:
    with delaying(tmp_path, CORES[0]) as server:
        before = time.monotonic_ns()
        first, second = exchange(server.url, REQUEST % (1, b""), REQUEST % (1, b""))
        assert first == second
        assert first.startswith(b"HTTP/1.1 200 OK\r\n")
        log = server.log()
        # Not before: the server reads its clock after an answer is sent, maybe later than we here.
        after = time.monotonic_ns()
        assert log.shape == (2, 2)
        assert before < log.min() <= log.max() < after
        assert ((log[:, 1] - log[:, 0]) >= DELAY_SECONDS * 1e9).all()
        assert len(server.log()) == 0


@needs_compiler
def test_delay_server_takes_requests_in_pieces_and_closes_when_asked(tmp_path: Path) -> None:
    with delaying(tmp_path, CORES[0]) as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as link:
            for byte in REQUEST % (1, b"Connection: close\r\n"):
                link.sendall(bytes([byte]))
            answer = b""
            while data := link.recv(4096):
                answer += data
        assert b"Connection: close" in answer
        assert (
            b"Connection: keep-alive"
            in exchange(server.url, REQUEST % (0, b"Connection: Keep-Alive\r\n"))[0]
        )
        assert b"Connection: close" in exchange(server.url, REQUEST % (0, b""))[0]
        with pytest.raises(ConnectionError):
            exchange(server.url, b"x" * 9000, b"more")
        assert len(server.log()) == 3


@needs_compiler
def test_delay_server_stalls_once(tmp_path: Path) -> None:
    with delaying(tmp_path, CORES[0]) as server:
        server.reset(stall_after_seconds=0.005, stall_seconds=0.3)
        begin = time.monotonic()
        exchange(server.url, REQUEST % (1, b""))
        assert time.monotonic() - begin >= 0.3
        log = server.log()
        assert log[0, 1] - log[0, 0] >= 0.3e9


@needs_compiler
def test_the_engine_against_the_delay_server(tmp_path: Path) -> None:
    job = Job(url="", users=4, seconds=1, rate=100, in_flight=50)
    case = Case(name="small", title="", job=job)
    bench = Bench(tmp_path, tmp_path, (CORES[0], CORES[-1]))
    with delaying(tmp_path, CORES[0]) as server:
        job = Job(url=server.url, users=4, seconds=1, rate=100, in_flight=50)
        values = bench.on_delay(LoadEngine(), case, job, server)
    assert values["arrived"] == values["requests"] == 100
    assert values["errors"] == 0
    assert values["p50_above_ms"] > 0
    assert values["server_p99_above_ms"] > 0
    assert {"lateness_p50_ms", "lateness_p99_ms", "reported_lateness_p99_ms"} <= set(values)
    assert 0 < values["bare_timer_p99_ms"] < 1000


@needs_compiler
def test_a_source_that_does_not_compile_is_told(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("int main(void) { return nothing; }")
    with pytest.raises(BenchmarkError, match=r"(?s)wrong\.c does not compile: .*nothing"):
        compiled(source, tmp_path)


@needs_compiler
def test_a_bare_timer_wants_a_rate(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="exit code 2"):
        bare_timer_p99(tmp_path, CORES[0], 0, 1)


@pytest.mark.skipif(
    shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None, reason="no nginx"
)
def test_nginx_counts_the_load_and_not_the_questions(tmp_path: Path) -> None:
    with serving(tmp_path, CORES[0]) as server:
        before = server.served()
        for number in range(3):
            assert b"200 OK" in exchange(server.url(number), REQUEST % (1, b""))[0]
        server.served()
        assert server.served() - before == 3
    with pytest.raises(OSError, match="nginx does not answer"):
        server.served()


def test_a_watch_sees_children_too(tmp_path: Path) -> None:
    child = "import time; held = bytearray(30_000_000); time.sleep(20)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with (
        started([sys.executable, "-c", parent], tmp_path) as process,
        Watch(process.pid, lambda: 0) as watch,
    ):
        deadline = time.monotonic() + 20
        while watch.peak_bytes().get(MAIN, 0) < 40_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert watch.snapshots[-1].cpu_seconds[MAIN] > 0


def test_what_has_ended_keeps_its_peak(tmp_path: Path) -> None:
    code = "import time; held = bytearray(60_000_000); time.sleep(1)"
    with (
        started([sys.executable, "-c", code], tmp_path) as process,
        Watch(process.pid, lambda: 0) as watch,
    ):
        # It stays a zombie, with nothing to read of its memory, until it is reaped below.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        looks = len(watch.snapshots)
        deadline = time.monotonic() + 20
        while len(watch.snapshots) < looks + 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert watch.peak_bytes()[MAIN] > 60_000_000


def test_a_tool_that_fails_or_hangs_is_an_error_in_one_line(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
    hanging = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        pytest.raises(BenchmarkError, match="exit code 1: no such luck"),
        started(failing, tmp_path) as one,
    ):
        finish(one, tmp_path, 20)
    with pytest.raises(BenchmarkError, match="not done after"), started(hanging, tmp_path) as two:
        finish(two, tmp_path, 0.2)
    assert two.poll() is not None
    with (
        pytest.raises(BenchmarkError, match="could not be started"),
        started([str(tmp_path / "absent")], tmp_path),
    ):
        pass
