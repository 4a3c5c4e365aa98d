"""The embedded target's life: it starts, it is kept running, and it never outlives its owner."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from qa_runner import __version__
from qa_runner.errors import PortTaken, TargetError, UnknownName
from qa_runner.targets.embedded import EmbeddedTarget
from qa_runner.targets.faults import FAULTS, validate_faults
from qa_runner.targets.target import Target

ROOT = Path(__file__).resolve().parent.parent.parent


def is_ready(target: Target) -> bool:
    try:
        with urllib.request.urlopen(f"{target.url}/health/", timeout=10) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:
        return False


def owner(target: Target) -> psutil.Process:
    for process in psutil.process_iter():
        try:
            for connection in process.net_connections("tcp"):
                if connection.status == "LISTEN" and connection.laddr.port == target.port:
                    return process
        except psutil.Error:
            continue
    raise AssertionError("nobody listens on the port")


def gone(process: psutil.Process) -> bool:
    # Where nobody reaps orphans, in a container say, an ended process stays as a zombie.
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with EmbeddedTarget(tmp_path) as started:
        yield started


def test_target_says_where_it_is(target: Target, tmp_path: Path) -> None:
    assert is_ready(target)
    assert target.url == f"http://127.0.0.1:{target.port}"
    assert (target.name, target.environment, target.faults) == ("demo", "embedded", ())
    assert target.log_path == tmp_path / "server.log"
    assert "listening" in target.log_path.read_text("utf-8")


def test_project_opens_the_same_database(target: Target, tmp_path: Path) -> None:
    project = target.project
    assert project is not None
    code = (
        "import django; django.setup(); from django.db import connection as c; "
        "from django.apps import apps; print(c.settings_dict['NAME']); "
        "print(apps.get_model('finances.PricingPlan').objects.count())"
    )
    environment = {
        **os.environ,
        **project.environment,
        "PYTHONPATH": os.pathsep.join(project.python_path),
    }
    output = subprocess.run(
        [project.interpreter, "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    ).stdout
    assert output.split() == [str(tmp_path / "database.sqlite3"), "3"]


def test_stop_ends_both_processes_and_leaves_two_files(tmp_path: Path) -> None:
    embedded = EmbeddedTarget(tmp_path)
    target = embedded.start()
    server = owner(target)
    supervisor = server.parent()
    assert supervisor is not None
    assert supervisor.ppid() == os.getpid()
    embedded.stop()
    embedded.stop()
    assert gone(server)
    assert gone(supervisor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["database.sqlite3", "server.log"]


def test_database_is_used_again(tmp_path: Path) -> None:
    with EmbeddedTarget(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "database.sqlite3")) as database, database:
        database.execute("UPDATE finances_pricingplan SET name = 'kept' WHERE id = 3")
    with EmbeddedTarget(tmp_path) as target:
        assert is_ready(target)
    with closing(sqlite3.connect(tmp_path / "database.sqlite3")) as database:
        names = database.execute("SELECT name FROM finances_pricingplan WHERE id = 3").fetchall()
    assert names == [("kept",)]


def test_faults_are_handed_on(tmp_path: Path) -> None:
    with EmbeddedTarget(tmp_path, faults=("lock", "leak")) as target:
        assert target.faults == ("lock", "leak")
        assert target.facts["faults"] == "lock, leak"
        assert (
            target.facts["version"] == f"qa-runner {__version__} demo, Django {version('django')}"
        )
        assert target.project is not None
        assert target.project.environment["QA_RUNNER_DEMO_FAULTS"] == "lock,leak"


def test_unknown_fault_lists_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown fault 'leek'\. Did you mean leak") as caught:
        EmbeddedTarget(tmp_path, faults=("leek",))
    assert all(name in str(caught.value) for name in FAULTS)
    assert validate_faults(["leak", "slow", "leak"]) == ("leak", "slow")


def test_killed_server_is_started_again_on_the_same_port(target: Target) -> None:
    first = owner(target)
    first.kill()
    assert wait_until(lambda: gone(first) and is_ready(target))
    assert owner(target).pid != first.pid
    assert target.log_path is not None
    assert "(SIGKILL); starting again" in target.log_path.read_text("utf-8")


def test_a_server_that_keeps_ending_is_given_up(tmp_path: Path) -> None:
    embedded = EmbeddedTarget(tmp_path)
    target = embedded.start()
    try:
        supervisor = owner(target).parent()
        assert supervisor is not None
        # A database that cannot be read any more, as after a full or broken disk.
        server = owner(target)
        (tmp_path / "database.sqlite3").write_bytes(b"no database" * 1000)
        server.kill()
        assert wait_until(lambda: gone(supervisor), 40)
        log = (tmp_path / "server.log").read_text("utf-8")
        assert "file is not a database" in log
        assert "giving up after 5 times" in log
    finally:
        embedded.stop()


def test_server_goes_with_a_killed_supervisor(tmp_path: Path) -> None:
    embedded = EmbeddedTarget(tmp_path)
    server = owner(embedded.start())
    supervisor = server.parent()
    assert supervisor is not None
    supervisor.kill()
    assert wait_until(lambda: gone(server))
    embedded.stop()


def test_both_go_with_a_killed_owner(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; "
        "from qa_runner.targets.embedded import EmbeddedTarget; "
        "target = EmbeddedTarget(Path(sys.argv[1])).start(); "
        "print(target.port, flush=True); time.sleep(120)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    assert wait_until(lambda: all(gone(member) for member in family))


def test_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    # Other tests' generators may live as long as the whole session.
    before = psutil.Process().children()
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is in use"):
            EmbeddedTarget(tmp_path, port=port).start()
    assert psutil.Process().children() == before


def test_unusable_database_is_reported_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "database.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(TargetError, match="file is not a database"):
        EmbeddedTarget(tmp_path).start()


def test_missing_folder_is_reported() -> None:
    with pytest.raises(TargetError, match="cannot start the embedded target in"):
        EmbeddedTarget(Path("/dev/null/nowhere")).start()


def test_starts_whatever_the_working_directory_and_the_environment_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("django.py", "json.py", "sqlite3.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "somebody.elses.settings")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    folder = tmp_path / "with space"
    folder.mkdir()
    with EmbeddedTarget(folder) as target:
        assert is_ready(target)


def test_neither_this_process_nor_the_supervisor_loads_django() -> None:
    code = (
        "import sys, qa_runner.targets.embedded, qa_runner.targets.url, "
        "qa_runner.demo.supervisor, qa_runner.demo.__main__; "
        "sys.exit('django' in sys.modules or 'numpy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_foreground_ends_with_ctrl_c_and_logs_every_request(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qa_runner.demo", "serve", "--foreground"]
    process = subprocess.Popen(
        [*command, f"--database={tmp_path / 'database.sqlite3'}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        server = psutil.Process(ready["pid"])
        with urllib.request.urlopen(f"http://127.0.0.1:{ready['port']}/health/", timeout=20):
            pass
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert gone(server)
    assert b'INFO purchase_api.access "GET /health/ HTTP/1.1" 200' in errors
    assert b"Traceback" not in errors


def test_foreground_goes_with_a_killed_owner(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qa_runner.demo", "serve", "--foreground"]
    code = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    owner_process = subprocess.Popen(
        [sys.executable, "-c", code, *command, f"--database={tmp_path / 'database.sqlite3'}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert owner_process.stdout is not None
    assert json.loads(owner_process.stdout.readline())["ready"]
    family = psutil.Process(owner_process.pid).children(recursive=True)
    assert len(family) == 2
    owner_process.kill()
    owner_process.wait()
    owner_process.stdout.close()
    assert wait_until(lambda: all(gone(member) for member in family))
