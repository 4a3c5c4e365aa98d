"""Secrets in every place there is, and in no file, on no stream."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = Path(__file__).with_name("leaky_server.py")
SECRETS = {
    "BEARER": "opaque-4711/abc&d",
    "TENANT": "tenant-0815-xyz",
    "COOKIE": "s3ss10nvalue",
    "LEAK_PASSWORD": 'pa$$"word<9>',
    "LEAK_DB": "wonderland99",
    "LEAK_KEY": "justlettershere",
}
DATABASE = f"postgres://shop:{SECRETS['LEAK_DB']}@127.0.0.1:1/shop"
CASE = '''
import os

from qa_runner import Burst, Param, Sequential, Step, StepContext, TestCase, part, request


def order(ctx):
    return request(
        "POST",
        "/purchase/",
        json={"plan_id": 1, "student_info": {"name": "{tag}", "email": "{i}-{tag}@example.com"}},
        key="{i}-{tag}@example.com",
        success_statuses=(201,),
        required=("success",),
        extract=("transaction_id", "payment_intent_id"),
        server_timing=True,
    )


class Only(Step):
    """Tells what it should not."""

    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "Load", criteria=("success_rate == 100 %", "query_time median < 1 s"))
    def load(self, ctx: StepContext) -> None:
        """Some requests, and a note of the author's."""
        ctx.load(Burst(requests=8), order(ctx))
        ctx.note("the token is " + os.environ["BEARER"])
        ctx.table("all", "All", ("name", "value"), [("key", os.environ["LEAK_KEY"])])

    @part("1.2", "Mistake")
    def mistake(self, ctx: StepContext) -> None:
        """An exception that names what it was given."""
        raise RuntimeError("cannot use " + " ".join(os.environ[n] for n in NAMES))


class Leaky(TestCase):
    """A case."""

    id = "LEAKY-1"
    name = "Leaky"
    description = "For the tests"
    steps = (Only,)
    models = {"transactions": "shop.Payment"}

    def preflight(self, ctx: StepContext):
        """One."""
        return order(ctx)
'''
SETTINGS = """
import os, sys

print("settings with", os.environ["DATABASE_URL"], file=sys.stderr)
raise RuntimeError("cannot connect to " + os.environ["DATABASE_URL"] + os.environ["LEAK_KEY"])
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found


@pytest.fixture
def folder(tmp_path: Path, port: int) -> Path:
    """With a configuration whose server and project know secrets too."""
    (tmp_path / "testcases" / "leaky").mkdir(parents=True)
    (tmp_path / "testcases" / "leaky" / "__init__.py").write_text(
        f"NAMES = {tuple(SECRETS)!r}\n{CASE}"
    )
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "leaky_settings.py").write_text(SETTINGS)
    (tmp_path / "qa-runner.toml").write_text(f"""
[targets.shop]
url = "http://127.0.0.1:{port}"
bearer_token = "${{BEARER}}"

[targets.shop.headers]
X-Tenant = "${{TENANT}}"
Cookie = "flavour=plain; id=${{COOKIE}}"

[targets.shop.project]
folder = "project"
settings = "leaky_settings"
environment = {{ DATABASE_URL = "{DATABASE}", LEAK_KEY = "${{LEAK_KEY}}" }}

[targets.shop.server]
command = "{sys.executable} {SERVER} {port}"
environment = {{ LEAK_DB = "{DATABASE}", LEAK_PASSWORD = "${{LEAK_PASSWORD}}" }}
""")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qa_runner", *arguments],
        cwd=folder,
        env={**os.environ, **SECRETS},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def leaks(folder: Path, *texts: str) -> list[str]:
    """Which secret turned up where."""
    found = [
        f"{name} on a stream: {text[max(text.find(value) - 80, 0) : text.find(value) + 40]}"
        for name, value in SECRETS.items()
        for text in texts
        if value in text
    ]
    for path in sorted((folder / "artifacts").rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        for name, value in SECRETS.items():
            at = data.find(value.encode())
            if at >= 0:
                where = data[max(at - 80, 0) : at + 40]
                found.append(f"{name} in {path.relative_to(folder)}: {where!r}")
    return found


def test_no_secret_is_written_anywhere(folder: Path) -> None:
    done = run(folder, "run", "LEAKY-1", "--target", "shop")
    assert "Traceback" not in done.stderr
    assert done.returncode in {1, 4}, done.stderr
    (run_folder,) = (folder / "artifacts" / "leaky-1").glob("run-*")
    names = {path.name for path in run_folder.iterdir()}
    assert {"run.json", "report.html", "server.log", "qa-runner.log"} <= names
    # It did get there: the server was told, and said it again.
    assert "started with" in (run_folder / "server.log").read_text()
    assert "the token is [redacted]" in (run_folder / "run.json").read_text()
    assert "cannot use [redacted]" in (run_folder / "qa-runner.log").read_text()
    assert "HTTP 500" in (run_folder / "report.html").read_text()
    again = run(folder, "rerun", "--step", "1", "--json")
    checked = run(folder, "check", "LEAKY-1", "--target", "shop")
    streams = [text for one in (done, again, checked) for text in (one.stdout, one.stderr)]
    assert leaks(folder, *streams) == []
