"""The server monitor on real processes that listen on a real port."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from waiting import wait_until

from qa_runner.clock import Clock
from qa_runner.monitors.process import ServerMonitor
from qa_runner.table import Table

SERVER = str(Path(__file__).with_name("small_server.py"))
Start = Callable[[list[str]], "subprocess.Popen[str]"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, command: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(command.encode())
        return connection.recv(100).decode()


def answers(port: int) -> bool:
    try:
        return ask(port, "pid").isdigit()
    except OSError:
        return False


class Server:
    """The small server on a port of its own."""

    def __init__(self, start: Start, workers: str = "0") -> None:
        self.port = free_port()
        self._start, self._workers = start, workers
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[str]:
        self.process = self._start([sys.executable, SERVER, str(self.port), self._workers])
        assert wait_until(lambda: answers(self.port))
        return self.process

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        # Its workers follow when they notice; until then they hold the port.
        assert wait_until(lambda: not answers(self.port))


def ignore(name: str, table: Table) -> None:
    """A sink that keeps nothing."""


@contextmanager
def watching(monitor: ServerMonitor, *, every: float = 60.0) -> Iterator[ServerMonitor]:
    monitor.interval_seconds = every
    monitor.start(Clock(), 1, ignore)
    try:
        yield monitor
    finally:
        monitor.stop()


def last(monitor: ServerMonitor, column: str) -> float:
    monitor.sample_now()
    return float(monitor.rows().number(column)[-1])


def test_it_finds_the_owner_of_the_port(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port)) as monitor:
        rows = monitor.rows()
        assert rows.text("pids") == [str(server.process.pid)]
        assert rows.number("processes")[0] == 1
        assert rows.number("workers")[0] == 1
        assert rows.number("rss_bytes")[0] == pytest.approx(
            psutil.Process(server.process.pid).memory_info().rss, rel=0.2
        )
        assert math.isnan(rows.number("cpu_percent")[0])
        assert math.isnan(rows.number("database_handles")[0])
        assert monitor.processes_found == 1
        assert monitor.reason == ""


def test_memory_threads_and_open_files_follow_the_server(started: Start, tmp_path: Path) -> None:
    database = tmp_path / "data.sqlite3"
    database.write_bytes(b"")
    (tmp_path / "data.sqlite3-wal").write_bytes(b"")
    server = Server(started)
    with watching(ServerMonitor(server.port, database=database)) as monitor:
        before = {
            name: last(monitor, name)
            for name in ("rss_bytes", "threads", "open_files", "database_handles")
        }
        assert before["database_handles"] == 0
        ask(server.port, "allocate 40000000")
        ask(server.port, "threads 3")
        for _ in range(2):
            ask(server.port, f"open {database}")
        ask(server.port, f"open {database}-wal")
        assert last(monitor, "rss_bytes") - before["rss_bytes"] == pytest.approx(40e6, rel=0.2)
        assert last(monitor, "threads") - before["threads"] == 3
        assert last(monitor, "open_files") - before["open_files"] == 3
        assert last(monitor, "database_handles") == 2


def test_cpu_rises_while_the_server_works_and_only_then(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port), every=0.1) as monitor:
        assert wait_until(lambda: len(monitor.rows()) > 8)
        idle = monitor.rows().number("cpu_percent")[3:]
        assert float(idle.max()) < 30
        ask(server.port, "burn 60")
        # The machine may be busy: some of a core is enough to tell work from idleness.
        assert wait_until(lambda: last(monitor, "cpu_percent") > 35)
        cpu = monitor.rows().number("cpu_percent")
        known = cpu[~np.isnan(cpu)]
        assert known.min() >= 0
        assert known.max() < 160


def test_cpu_has_no_spike_when_the_server_is_replaced(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port), every=0.1) as monitor:
        ask(server.port, "burn 60")
        assert wait_until(lambda: last(monitor, "cpu_percent") > 35)
        server.end()
        assert wait_until(lambda: last(monitor, "processes") == 0)
        server.begin()
        assert wait_until(lambda: last(monitor, "processes") == 1)
        count = len(monitor.rows())
        assert wait_until(lambda: len(monitor.rows()) > count + 8)
        cpu = monitor.rows().number("cpu_percent")
        known = cpu[~np.isnan(cpu)]
        assert known.min() >= 0
        assert known.max() < 160


def test_a_restart_counts_once_and_the_new_owner_is_found(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port)) as monitor:
        server.end()
        assert last(monitor, "processes") == 0
        rows = monitor.rows()
        assert rows.number("restarts")[-1] == 1
        assert math.isnan(rows.number("rss_bytes")[-1])
        assert "no process listens" in monitor.reason
        server.begin()
        assert last(monitor, "processes") == 1
        assert last(monitor, "restarts") == 1
        assert monitor.reason == ""
        assert any("ended" in note for note in monitor.notes())
        server.end()
        server.begin()
        assert last(monitor, "restarts") == 2


def test_a_server_that_exits_by_itself_is_a_restart_also_unreaped(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port)) as monitor:
        ask(server.port, "exit 1")
        assert wait_until(lambda: last(monitor, "restarts") == 1)
        assert last(monitor, "processes") == 0


def test_the_workers_of_a_master_are_counted_without_it(started: Start) -> None:
    server = Server(started, "3")
    with watching(ServerMonitor(server.port)) as monitor:
        assert wait_until(lambda: last(monitor, "workers") == 3)
        assert last(monitor, "processes") == 4
        worker = int(ask(server.port, "pid"))
        assert worker != server.process.pid
        ask(server.port, "exit 0")
        assert wait_until(lambda: last(monitor, "restarts") == 1)
        assert last(monitor, "workers") == 2


def test_a_reload_watcher_and_its_child_are_one_server(started: Start) -> None:
    server = Server(started, "reload")
    with watching(ServerMonitor(server.port)) as monitor:
        assert last(monitor, "processes") == 2
        assert last(monitor, "workers") == 1
        rows = monitor.rows()
        assert rows.text("pids")[-1].split()[0] == str(server.process.pid)


def test_it_is_found_once_it_starts(started: Start) -> None:
    port = free_port()
    with watching(ServerMonitor(port)) as monitor:
        assert last(monitor, "processes") == 0
        assert f"no process listens on port {port}" in monitor.reason
        started([sys.executable, SERVER, str(port)])
        assert wait_until(lambda: last(monitor, "processes") == 1)
        assert last(monitor, "restarts") == 0


def test_its_own_process_is_never_the_server() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with watching(ServerMonitor(listener.getsockname()[1])) as monitor:
            assert last(monitor, "processes") == 0


def test_a_given_process_is_ignored(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port, ignore=[server.process.pid])) as monitor:
        assert last(monitor, "processes") == 0


def test_without_permission_it_says_why(started: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(started)

    def deny(*args: object, **kwargs: object) -> object:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", deny)
    # As on macOS: the own user's processes can still be asked.
    with watching(ServerMonitor(server.port)) as monitor:
        assert last(monitor, "processes") == 1
    monkeypatch.setattr(psutil.Process, "net_connections", deny)
    with watching(ServerMonitor(server.port)) as monitor:
        assert last(monitor, "processes") == 0
        assert "with sudo" in monitor.reason


def test_open_files_that_are_refused_are_absent_not_zero(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(started)

    def deny(self: psutil.Process) -> int:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "num_fds", deny)
    with watching(ServerMonitor(server.port)) as monitor:
        assert math.isnan(last(monitor, "open_files"))
        assert last(monitor, "threads") >= 1
        assert any("permission refused" in note for note in monitor.notes())


def test_the_snapshot_lists_the_tree_without_secrets(started: Start) -> None:
    port = free_port()
    started([sys.executable, SERVER, str(port), "0", "--password", "hunter2", "--api-key=abc123"])
    assert wait_until(lambda: answers(port))
    with watching(ServerMonitor(port)) as monitor:
        facts = monitor.snapshot()
    server = [each for each in facts if each.role == "server"]
    assert len(server) == 1
    assert "small_server.py" in server[0].command
    assert "hunter2" not in server[0].command
    assert "abc123" not in server[0].command
    assert server[0].rss_bytes is not None
    assert server[0].rss_bytes > 1_000_000
    largest = [each.rss_bytes or 0 for each in facts if each.role == "python"]
    assert 1 <= len(largest) <= 5
    assert largest == sorted(largest, reverse=True)


def test_a_sink_that_fails_ends_nothing(started: Start) -> None:
    server = Server(started)

    def full(name: str, table: Table) -> None:
        raise OSError("no space left on device")

    monitor = ServerMonitor(server.port)
    monitor.start(Clock(), 1, full)
    monitor.sample_now()
    monitor.stop()
    assert len(monitor.rows()) >= 2
    assert any("no space left" in note for note in monitor.notes())


def test_a_new_session_starts_with_no_rows_and_no_restarts(started: Start) -> None:
    server = Server(started)
    monitor = ServerMonitor(server.port)
    with watching(monitor):
        server.end()
        server.begin()
        assert last(monitor, "restarts") == 1
    with watching(monitor):
        assert len(monitor.rows()) == 1
        assert last(monitor, "restarts") == 0


def test_the_tests_own_pid_is_not_among_the_servers(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port)) as monitor:
        assert str(os.getpid()) not in monitor.rows().text("pids")[0].split()
