"""A server that a run starts: it is awaited, its log is kept, and nothing of it is left."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from qa_runner.errors import StopRequested, TargetError, UsageError
from qa_runner.stop import StopToken
from qa_runner.targets.server_command import ServerCommand, StartOrder

SITE = str(Path(__file__).with_name("small_site.py"))
LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="what leaves its group is followed there"
)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def get(order: StartOrder, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{order.port}{path}", timeout=20) as response:
        return str(response.read().decode())


def family() -> list[psutil.Process]:
    """What was started by this process and by that, the guardian among them."""
    return psutil.Process().children(recursive=True)


@pytest.fixture
def order(tmp_path: Path) -> Callable[..., StartOrder]:
    def make(*options: str, **other: object) -> StartOrder:
        port = free_port()
        order = StartOrder(
            name="shop",
            command=shlex.join([sys.executable, SITE, str(port), *options]),
            folder=tmp_path,
            log=tmp_path / "server.log",
            host="127.0.0.1",
            addresses=("127.0.0.1",),
            port=port,
        )
        return replace(order, **other)  # type: ignore[arg-type]

    return make


Order = Callable[..., StartOrder]


def test_it_is_awaited_and_ended_with_all_that_it_started(order: Order) -> None:
    before = family()
    what = order("--children=2", "--say=good morning", environment={"SITE_GREETING": "hi"})
    with ServerCommand(what, StopToken()):
        started = [process for process in family() if process not in before]
        assert get(what, "/environment") == "hi"
        assert len(started) == 4  # guardian, server, its two children
        assert os.getpgid(int(get(what, "/pid"))) != os.getpgid(0)
    assert all(gone(process) for process in started)
    assert family() == before
    assert "good morning" in what.log.read_text("utf-8")
    assert '"GET /pid HTTP/1.1" 200' in what.log.read_text("utf-8")


def test_its_output_is_appended(order: Order) -> None:
    what = order("--say=second")
    what.log.write_text("first\n")
    with ServerCommand(what, StopToken()):
        pass
    assert what.log.read_text("utf-8").splitlines()[:2] == ["first", "second"]


def test_ready_is_what_answers_below_500(order: Order) -> None:
    what = order("--late=3")
    with ServerCommand(
        replace(what, ready_url=f"http://127.0.0.1:{what.port}/late"), StopToken()
    ) as server:
        assert get(server.order, "/late") == "hello"
    log = what.log.read_text("utf-8")
    assert log.count('"GET /late HTTP/1.1" 500') == 3


@LINUX
def test_what_left_its_group_is_ended_too(order: Order) -> None:
    before = family()
    with ServerCommand(order("--strays=2"), StopToken()):
        started = [process for process in family() if process not in before]
        assert len(started) == 4
    assert all(gone(process) for process in started)


def test_a_server_that_does_not_hear_is_killed(order: Order) -> None:
    what = order("--deaf", "--children=1", stop_seconds=0.2)
    before = family()
    with ServerCommand(what, StopToken()):
        started = [process for process in family() if process not in before]
        os.kill(int(get(what, "/pid")), signal.SIGSTOP)
    assert len(started) == 3
    assert all(gone(process) for process in started)


def test_it_goes_with_a_killed_owner(order: Order) -> None:
    what = order("--children=1")
    code = (
        "import signal, sys, time; from pathlib import Path; "
        "from qa_runner.stop import StopToken; "
        "from qa_runner.targets.server_command import *; "
        "server = ServerCommand(StartOrder(name='shop', command=sys.argv[1], folder=Path('/'), "
        "log=Path(sys.argv[2]), host='127.0.0.1', addresses=('127.0.0.1',), "
        "port=int(sys.argv[3])), StopToken()); server.start(); "
        "signal.signal(signal.SIGINT, signal.SIG_IGN); "  # it lives on, and so must the server
        "print('ready', flush=True); time.sleep(120)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, what.command, str(what.log), str(what.port)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        started = psutil.Process(owner.pid).children(recursive=True)
        assert len(started) == 3
        # Ctrl-C at the terminal reaches the group of the run, and not the server.
        os.killpg(owner.pid, signal.SIGINT)
        assert get(what, "/") == "hello"
        owner.kill()
    finally:
        owner.kill()
        owner.communicate()
    assert wait_until(lambda: all(gone(process) for process in started))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_guardian_that_is_ended_leaves_no_server(order: Order, number: int) -> None:
    before = family()
    with ServerCommand(order("--children=1", stop_seconds=2.0), StopToken()):
        started = [process for process in family() if process not in before]
        guardian = next(process for process in started if process.ppid() == os.getpid())
        guardian.send_signal(number)
        assert wait_until(lambda: gone(guardian))
    assert len(started) == 3
    assert all(gone(process) for process in started)


def test_a_server_that_ended_meanwhile_is_told(order: Order) -> None:
    what = order()
    before = family()
    with ServerCommand(what, StopToken()) as server:
        assert server.ended() == ""
        os.kill(int(get(what, "/pid")), signal.SIGKILL)
        assert wait_until(lambda: server.ended() != "")
        for _ in range(2):
            assert server.ended().startswith(
                "The server that the run started was ended by SIGKILL; its last lines: "
            )
            assert "GET /pid" in server.ended()
    assert server.ended() == ""
    assert family() == before


def test_an_early_end_shows_the_last_lines_without_secrets(order: Order) -> None:
    what = order(
        "--exit=3",
        *(f"--say=line {number}" for number in range(9)),
        "--say=ImproperlyConfigured: no module shop.settings \x1b[31m",
        "--say=DATABASE_URL=postgres://shop:topsecret@localhost/x",
    )
    what.log.write_text("an earlier session\n")
    with pytest.raises(TargetError) as caught:
        ServerCommand(what, StopToken()).start()
    text = str(caught.value)
    assert "target 'shop' ended with exit code 3 before it was ready" in text
    assert "line 8 | ImproperlyConfigured: no module shop.settings" in text
    assert "line 3" not in text
    assert "earlier session" not in text
    assert "topsecret" not in text
    assert text.isprintable()


def test_a_command_that_goes_into_the_background_is_told_and_ended(order: Order) -> None:
    before = family()
    what = order("--daemon")
    with pytest.raises(TargetError, match="exit code 0 before it was ready; leave out options"):
        ServerCommand(what, StopToken()).start()
    assert family() == before
    if sys.platform == "linux":
        with closing(socket.create_server(("127.0.0.1", what.port))):
            pass


def test_one_that_is_not_ready_in_time_is_ended(order: Order) -> None:
    before = family()
    command = shlex.join(["/bin/sh", "-c", "echo waiting for the moon; exec sleep 180"])
    what = order(command=command, ready_seconds=1.5)
    with pytest.raises(TargetError) as caught:
        ServerCommand(what, StopToken()).start()
    assert "was not ready within 1.5 s: " in str(caught.value)
    assert "refused the connection; its last lines: waiting for the moon" in str(caught.value)
    assert family() == before


def test_one_that_only_answers_errors_is_not_ready(order: Order) -> None:
    what = order("--late=100000", ready_seconds=3.0)
    ready = f"http://127.0.0.1:{what.port}/late"
    with pytest.raises(TargetError, match=f"GET {ready}: it answers 500"):
        ServerCommand(replace(what, ready_url=ready), StopToken()).start()


def test_one_that_listens_elsewhere_is_told(order: Order) -> None:
    what = order(ready_seconds=3.0)
    wrong = replace(what, port=free_port())
    with pytest.raises(
        TargetError, match=f"it listens on port {what.port}, the target's URL names {wrong.port}"
    ):
        ServerCommand(wrong, StopToken()).start()


def test_a_port_that_is_taken_is_refused_with_its_owner(order: Order) -> None:
    before = family()
    what = order()
    other = subprocess.Popen(
        [sys.executable, SITE, str(what.port), "--say=--password=hunter2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: _accepts(what.port))
        with pytest.raises(TargetError) as caught:
            ServerCommand(what, StopToken()).start()
    finally:
        other.kill()
        other.wait()
    text = str(caught.value)
    assert f"port {what.port} is taken by process {other.pid} (" in text
    assert "small_site.py" in text
    assert "hunter2" not in text
    assert not what.log.exists()
    assert family() == before


def _accepts(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_stop_while_it_is_awaited_ends_it(order: Order) -> None:
    before = family()
    stop = StopToken()
    timer = threading.Timer(0.3, stop.stop, ["by Ctrl-C"])
    timer.start()
    with pytest.raises(StopRequested, match="by Ctrl-C"):
        ServerCommand(order("--mute"), stop).start()
    timer.join()
    assert family() == before


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("python 'manage.py", "No closing quotation"),
        ("cd shop && python manage.py runserver", "run without a shell, and has '&&' in it"),
        ("python manage.py runserver > log", "run without a shell, and has '>' in it"),
        ("DEBUG=1 python manage.py runserver", "begins with the variable DEBUG"),
    ],
)
def test_commands_that_only_a_shell_understands(order: Order, command: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        ServerCommand(replace(order(), command=command), StopToken())
    assert "[targets.shop.server" in str(caught.value)


def test_what_cannot_be_started_is_one_line(order: Order, tmp_path: Path) -> None:
    before = family()
    with pytest.raises(TargetError, match="cannot start gunicorm: No such file or directory"):
        ServerCommand(replace(order(), command="gunicorm shop.wsgi"), StopToken()).start()
    with pytest.raises(TargetError, match="Permission denied"):
        ServerCommand(replace(order(), command=str(tmp_path)), StopToken()).start()
    nowhere = tmp_path / "nowhere"
    with pytest.raises(TargetError, match=f"no folder {nowhere}"):
        ServerCommand(replace(order(), folder=nowhere), StopToken()).start()
    with pytest.raises(UsageError, match=r"cannot write the server's log .* Is a directory"):
        ServerCommand(replace(order(), log=tmp_path), StopToken()).start()
    assert family() == before


def test_a_module_in_the_working_folder_does_not_stand_in(order: Order, tmp_path: Path) -> None:
    for name in ("json.py", "subprocess.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')")
    what = order(environment={"PYTHONPATH": str(tmp_path / "nowhere")})
    with ServerCommand(what, StopToken()):
        assert get(what, "/") == "hello"
