"""Whole runs against a server that they start themselves: another project, another Django."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from projects.storefront import HEALTH, Kind, Shop, ShopServer, free_port

TOKEN = "tok-5ecret-0f-the-gateway"  # noqa: S105 (of nobody)
COMMAND = (sys.executable, "-m", "qa_runner")
CASE = f"""
from qa_runner import Sequential, Step, TestCase, VirtualUsers, part, request

class Health(Step):
    number, title, figure = 1, "Health", "01_health"

    @part("1.1", "one request", criteria=("success_rate == 100 %", "server_restarts == 0"))
    def once(self, ctx):
        ctx.load(Sequential(requests=1), request("GET", "{HEALTH}"))

    @part("1.2", "for a minute", criteria=("success_rate == 100 %", "server_restarts == 0"))
    def long(self, ctx):
        ctx.load(VirtualUsers(users=1, duration_seconds=60.0), request("GET", "{HEALTH}"))

class Ping(TestCase):
    id, name, description, steps = "PING-001", "Ping", "Whether it answers", (Health,)
"""


def configure(shop: Shop, kind: Kind, folder: Path) -> None:
    """Write qa-runner.toml with a server that the run starts."""
    port = free_port()
    toml = ShopServer(shop, port, 0, folder, shop.environment()).toml()
    variables = "\n".join(f"{name} = {value!r}" for name, value in shop.environment().items())
    server = f"""
bearer_token = "${{SHOP_TOKEN}}"

[targets.shop.headers]
X-Gateway = "${{SHOP_TOKEN}}"

[targets.shop.server]
command = '{shlex.join(shop.command(kind, port))}'
folder = "{shop.folder}"
ready_path = "{HEALTH}"

[targets.shop.server.environment]
{variables}

[targets.shop.paths]"""
    assert "\n[targets.shop.paths]" in toml
    folder.joinpath("qa-runner.toml").write_text(toml.replace("\n[targets.shop.paths]", server, 1))


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments, "--target", "shop"],
        cwd=folder,
        env={**os.environ, "SHOP_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def servers_of(shop: Shop) -> list[int]:
    """Processes that work in the project's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(shop.folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A working folder with a test case."""
    folder = tmp_path / "home"
    (folder / "testcases" / "ping").mkdir(parents=True)
    (folder / "testcases" / "ping" / "__init__.py").write_text(CASE)
    return folder


def test_a_run_starts_the_server_and_ends_it(shop: Shop, home: Path) -> None:
    shop.manage("migrate", "--verbosity=0")
    configure(shop, "gunicorn", home)
    process = start(home, "run", "PING-001", "--step", "1.1")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, out + errors
    assert servers_of(shop) == []
    folder = next((home / "artifacts" / "ping-001").glob("run-*"))
    assert "Starting gunicorn" in (folder / "server.log").read_text("utf-8")
    run = (folder / "run.json").read_text("utf-8")
    assert "X-Gateway: [redacted]" in run
    assert "started by the run: " in run
    for path in (*folder.rglob("*"), home / "artifacts" / "latest_runs.csv"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in out + errors


def test_ctrl_c_reaches_the_run_alone(shop: Shop, home: Path) -> None:
    shop.manage("migrate", "--verbosity=0")
    configure(shop, "runserver", home)
    process = start(home, "run", "PING-001", "--step", "1.2")
    samples = home / "artifacts" / "ping-001"
    deadline = time.monotonic() + 60
    while not any(samples.glob("run-*/samples/step-1*.npy")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, out + errors
    assert servers_of(shop) == []
    folder = next(samples.glob("run-*"))
    assert (folder / "report.html").exists()
    # Every request was answered by a server that nobody had interrupted.
    series = (folder / "series" / "server.csv").read_text("utf-8").splitlines()
    restarts = series[0].split(",").index("restarts")
    assert {row.split(",")[restarts] for row in series[1:]} == {"0"}


def test_a_server_that_does_not_start_says_why(shop: Shop, home: Path) -> None:
    configure(shop, "gunicorn", home)
    shop.state.mkdir()
    shop.folder.joinpath("storefront", "wsgi.py").write_text("import no_such_module\n")
    process = start(home, "run", "PING-001", "--quiet")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 4, out + errors
    assert servers_of(shop) == []
    assert "the server of target 'shop' ended with exit code" in errors
    assert "ModuleNotFoundError: No module named 'no_such_module'" in errors
    assert "Traceback" not in errors
    folder = next((home / "artifacts" / "ping-001").glob("run-*"))
    assert "no_such_module" in (folder / "server.log").read_text("utf-8")
