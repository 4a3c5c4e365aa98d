"""Which process is the server where the port does not say it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from test_monitors_process import Server, Start, ask, free_port, last, watching
from waiting import wait_until

from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.process_rule import ProcessRule

SLEEP = "import time; time.sleep(600)"


def pids(monitor: ServerMonitor) -> list[int]:
    monitor.sample_now()
    return [int(pid) for pid in monitor.rows().text("pids")[-1].split()]


def test_the_owner_of_another_port(started: Start) -> None:
    proxy, server = Server(started), Server(started, "2")
    rule = ProcessRule(port=server.port)
    with watching(ServerMonitor(proxy.port, address="127.0.0.1", rule=rule)) as monitor:
        assert wait_until(lambda: last(monitor, "workers") == 2)
        assert pids(monitor)[0] == server.process.pid
        assert proxy.process.pid not in pids(monitor)


def test_a_pid_with_what_is_below_it(started: Start) -> None:
    server = Server(started, "2")
    rule = ProcessRule(pid=server.process.pid)
    # The port is a proxy's, say: the workers are known by their names.
    with watching(ServerMonitor(free_port(), rule=rule)) as monitor:
        assert wait_until(lambda: last(monitor, "workers") == 2)
        assert len(pids(monitor)) == 3
        ask(server.port, "exit 0")
        assert wait_until(lambda: last(monitor, "restarts") == 1)
        server.end()
        assert wait_until(lambda: last(monitor, "processes") == 0)
        pid = server.process.pid
        assert monitor.reason == (
            f"process {pid}, named as the server's, does not run; "
            "correct the process rule of the target"
        )


def test_a_pid_file_is_read_again(started: Start, tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    first, second = Server(started), Server(started)
    path.write_text(f"{first.process.pid}\n")
    with watching(ServerMonitor(first.port, rule=ProcessRule(pid_file=path))) as monitor:
        assert pids(monitor) == [first.process.pid]
        # A graceful restart: the new server is there before the old one ends.
        path.write_text(f"{second.process.pid}\n")
        assert pids(monitor) == [second.process.pid]
        assert last(monitor, "restarts") == 0
        moved = f"moved from process {first.process.pid} to {second.process.pid} at "
        assert any(moved in note for note in monitor.notes())
        first.end()
        assert last(monitor, "restarts") == 1
        assert pids(monitor) == [second.process.pid]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the pid file {path} does not exist: is the server running?"),
        ("", "the pid file {path} does not contain a process id"),
        ("twelve", "the pid file {path} does not contain a process id"),
        ("-1", "the pid file {path} does not contain a process id"),
        ("9" * 400, "does not run"),
        ("0", "does not run"),
    ],
)
def test_pid_files_that_name_nobody(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "server.pid"
    if text is not None:
        path.write_text(text)
    with watching(ServerMonitor(free_port(), rule=ProcessRule(pid_file=path))) as monitor:
        assert last(monitor, "processes") == 0
        assert reason.format(path=path) in monitor.reason
        assert monitor.reason.isprintable()


def test_a_pid_file_that_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with watching(ServerMonitor(free_port(), rule=ProcessRule(pid_file=path))) as monitor:
            assert f"the pid file {path} is not a file" in monitor.reason


def test_a_part_of_the_command_line(started: Start) -> None:
    server = Server(started, "2")
    rule = ProcessRule(command=f"small_server.py {server.port}")
    with watching(ServerMonitor(free_port(), rule=rule)) as monitor:
        assert wait_until(lambda: last(monitor, "workers") == 2)
        assert pids(monitor)[0] == server.process.pid
        server.end()
        server.begin()
        assert wait_until(lambda: last(monitor, "workers") == 2)
        assert pids(monitor)[0] == server.process.pid
        assert monitor.reason == ""


def test_a_command_line_of_nobody_or_of_several(started: Start, tmp_path: Path) -> None:
    word = f"shop-{tmp_path.name}-{os.getpid()}"
    with watching(ServerMonitor(free_port(), rule=ProcessRule(command=word))) as monitor:
        assert f"no process of this user has '{word}'" in monitor.reason
        one = started([sys.executable, "-c", SLEEP, word])
        assert wait_until(lambda: last(monitor, "processes") == 1)
        assert pids(monitor) == [one.pid]
    two = started([sys.executable, "-c", SLEEP, word])
    with watching(ServerMonitor(free_port(), rule=ProcessRule(command=word))) as monitor:
        assert last(monitor, "processes") == 0
        listed = ", ".join(str(pid) for pid in sorted((one.pid, two.pid)))
        assert f"several processes have '{word}' in their command lines ({listed})" in (
            monitor.reason
        )


def test_the_listener_on_the_address_asked_is_taken(started: Start) -> None:
    """Two servers on one port: the one on 127.0.0.1 is not the one on another address."""
    code = (
        "import socket, sys, time; s = socket.create_server((sys.argv[1], int(sys.argv[2]))); "
        "print('ready', flush=True); time.sleep(600)"
    )
    port = free_port()
    processes = {
        address: started([sys.executable, "-c", code, address, str(port)])
        for address in ("127.0.0.1", "127.0.0.2")
    }
    for process in processes.values():
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.skip("one loopback address only")
    for address, process in processes.items():
        with watching(ServerMonitor(port, address=address)) as monitor:
            assert pids(monitor) == [process.pid]


def test_a_server_on_another_machine_is_not_looked_for_here(started: Start) -> None:
    server = Server(started)
    with watching(ServerMonitor(server.port, address="192.0.2.1")) as monitor:
        assert last(monitor, "processes") == 0
        assert "the server runs on another machine (192.0.2.1)" in monitor.reason


def test_what_is_refused_is_the_reason(started: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(started)

    def deny(self: psutil.Process) -> int:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "memory_info", deny)
    with watching(ServerMonitor(server.port)) as monitor:
        assert last(monitor, "processes") == 1
        assert monitor.reason == (
            "memory of the server could not be read: permission refused; "
            "run qa-runner as the server's user, or with sudo"
        )


def test_how_the_server_ended_is_among_the_notes(started: Start) -> None:
    server = Server(started)
    told = ""
    with watching(ServerMonitor(server.port, ended=lambda: told)) as monitor:
        assert monitor.notes() == []
        told = "The server that the run started was ended by SIGKILL."
        server.end()
        assert last(monitor, "restarts") == 1
        assert monitor.notes()[-1] == told
        assert len(monitor.notes()) == 2


# Read as root, since nobody may see neither this interpreter nor this checkout.
AS_NOBODY = """
import os, sys
from qa_runner.clock import Clock
from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.process_rule import ProcessRule
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
port, pid = int(sys.argv[1]), int(sys.argv[2])
for rule in (ProcessRule(), ProcessRule(pid=pid), ProcessRule(command="small_server.py")):
    monitor = ServerMonitor(port, rule=rule)
    monitor.start(Clock(), 1, lambda name, table: None)
    monitor.stop()
    print(monitor.reason)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_the_server_of_another_user(started: Start) -> None:
    server = Server(started)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(server.port), str(server.process.pid)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    by_port, by_pid, by_command = done.stdout.splitlines()
    assert f"the process on port {server.port} belongs to another user" in by_port
    assert "permission refused; run qa-runner as the server's user, or with sudo" in by_pid
    assert "no process of this user has 'small_server.py'" in by_command


def test_its_own_ancestors_are_not_the_server() -> None:
    """A shell that started both has the words in its command line too."""
    word = f"shop-{os.getpid()}-ancestors"
    code = (
        "import sys; from qa_runner.monitors.process_rule import ProcessRule, find_process; "
        "print(find_process(ProcessRule(command=sys.argv[1][::-1]), 1, '', ()).reason)"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", f': {word}; {sys.executable} -c "$0" {word[::-1]}; :', code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"no process of this user has '{word}'" in done.stdout
