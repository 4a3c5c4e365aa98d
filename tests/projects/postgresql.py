"""A PostgreSQL server of the tests' own, on loopback, and databases in it.

Ended with the tests, also when they are killed: it lives as long as a pipe from them.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["PASSWORD", "USER", "Cluster", "postgresql", "postgresql_database"]

USER = "shop+owner"
PASSWORD = "pg/secret@4711"  # noqa: S105 (of a server that only the tests can reach)
_QUOTED = "shop%2Bowner:pg%2Fsecret%404711"
_HOST = "127.0.0.1"
_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
_START_SECONDS = 60.0
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "deadlock_timeout=200ms",
    "autovacuum=off",
)
# Ends the server when its own stdin closes: at the latest with the process that started it.
_GUARD = """
import json, signal, subprocess, sys
server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, **json.loads(sys.argv[1]))
sys.stdin.buffer.read()
server.send_signal(signal.SIGINT)
try:
    server.wait(20)
except subprocess.TimeoutExpired:
    server.send_signal(signal.SIGQUIT)
    server.wait()
"""


@dataclass(frozen=True)
class Cluster:
    """A running server; its superuser is USER."""

    port: int
    folder: Path

    def url(self, database: str = "postgres", *, credentials: str = _QUOTED) -> str:
        """The address of a database, the password in it."""
        return f"postgresql://{credentials}@{_HOST}:{self.port}/{database}"

    @contextmanager
    def connect(self, database: str = "postgres") -> Iterator[Any]:
        """A connection of psycopg's in autocommit mode."""
        psycopg = pytest.importorskip("psycopg", reason="needs qa-runner[postgresql]")
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    def databases(self) -> set[str]:
        """The names of all databases."""
        with self.connect() as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        return {str(row[0]) for row in rows}

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The name of a new database, a copy of ``template``; it is dropped at the end."""
        name = f"tests_{secrets.token_hex(4)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                yield name
            finally:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A server for all tests of the session; skips with the reason where there is none."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (no initdb and postgres found)")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="qa-pg-"))  # short: its socket's path is limited
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield from _served(programs, user, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_database(postgresql: Cluster) -> Iterator[str]:
    """The name of a database of this test's own."""
    with postgresql.database() as name:
        yield name


def _served(programs: Path, user: pwd.struct_passwd | None, folder: Path) -> Iterator[Cluster]:
    identity: dict[str, Any] = {}
    if user is not None:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)}
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    made = subprocess.run(
        [
            str(programs / "initdb"),
            f"--pgdata={folder / 'data'}",
            f"--username={USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
    if made.returncode:
        pytest.skip(f"initdb failed: {made.stderr.strip().splitlines()[-1]}")
    port = _free_port()
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-h", _HOST]
    command += ["-p", str(port), "-k", str(folder)]
    command += [word for setting in _SETTINGS for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        guard = subprocess.Popen(
            # The guard stays who we are: the interpreter may not be for everybody.
            [sys.executable, "-I", "-S", "-c", _GUARD, json.dumps(identity), *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_ready(port, guard, folder / "log")
        yield Cluster(port, folder)
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait()


def _programs() -> Path | None:
    """The folder of initdb and postgres."""
    found = shutil.which("initdb")
    folders = [Path(os.path.realpath(found)).parent] if found else []
    for pattern in _FOLDERS:
        folders += sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres")):
            return folder
    return None


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run as: PostgreSQL refuses to run as root. None for whoever we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as server:
        return int(server.getsockname()[1])


def _wait_until_ready(port: int, guard: subprocess.Popen[bytes], log: Path) -> None:
    psycopg = pytest.importorskip("psycopg", reason="needs qa-runner[postgresql]")
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(Cluster(port, log.parent).url(), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if guard.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {error}; {log.read_text()[-500:]}")
            time.sleep(0.05)
        else:
            return
