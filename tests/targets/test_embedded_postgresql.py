"""The embedded target on PostgreSQL: a database of its own, dropped whatever the end."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from projects.postgresql import PASSWORD, Cluster
from waiting import wait_until

from qa_runner.errors import TargetError, UsageError
from qa_runner.targets.choose import check_database, check_same_database
from qa_runner.targets.database_url import DatabaseUrl, parse_database_url
from qa_runner.targets.embedded import EmbeddedTarget
from qa_runner.targets.target import Target

pytest.importorskip("psycopg_pool", reason="needs qa-runner[postgresql]")

PURCHASE = "/finances/api/purchase/initiate/"


def buy(target: Target, email: str) -> int:
    body = json.dumps({"plan_id": 1, "student_info": {"name": "Ada", "email": email}})
    with closing(http.client.HTTPConnection("127.0.0.1", target.port, timeout=60)) as connection:
        connection.request("POST", PURCHASE, body, {"Content-Type": "application/json"})
        return connection.getresponse().status


@pytest.fixture
def database(postgresql: Cluster) -> Iterator[DatabaseUrl]:
    before = postgresql.databases()
    yield parse_database_url(postgresql.url())
    assert wait_until(lambda: postgresql.databases() == before), "a database was left behind"


def test_rows_land_in_a_database_of_its_own_that_is_dropped(
    postgresql: Cluster, database: DatabaseUrl, tmp_path: Path
) -> None:
    with EmbeddedTarget(tmp_path, database=database) as target:
        assert re.fullmatch(r"qa_runner_[0-9a-f]{12}", database.name)
        family = psutil.Process().children(recursive=True)
        commands = [" ".join(process.cmdline()) for process in family]
        assert any("qa_runner.demo" in command for command in commands)
        assert not any("secret" in command for command in commands)
        with ThreadPoolExecutor(20) as pool:
            emails = [f"ada{number % 15}@example.org" for number in range(20)]
            statuses = list(pool.map(lambda email: buy(target, email), emails))
        with postgresql.connect(database.name) as connection:
            rows = connection.execute("SELECT count(*) FROM finances_purchasetransaction")
            users = connection.execute("SELECT count(*) FROM accounts_customuser")
            assert (rows.fetchone()[0], users.fetchone()[0]) == (20, 15)
        # No connection but those of the pool, all of which were there from the start.
        assert statuses == [201] * 20
        assert target.facts["database"].startswith("PostgreSQL")
        assert PASSWORD not in repr(target) + repr(database)
    assert database.name not in postgresql.databases()
    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]
    assert_no_secret(tmp_path / "server.log")


def assert_no_secret(path: Path) -> None:
    text = path.read_text("utf-8")
    assert PASSWORD not in text
    assert "secret%40" not in text


def test_the_database_goes_with_a_killed_owner(
    postgresql: Cluster, database: DatabaseUrl, tmp_path: Path
) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; "
        "from qa_runner.targets.database_url import DatabaseUrl; "
        "from qa_runner.targets.embedded import EmbeddedTarget; "
        "database = DatabaseUrl(os.environ['TEST_URL'], sys.argv[2]); "
        "EmbeddedTarget(Path(sys.argv[1]), database=database).start(); "
        "print('ready', flush=True); time.sleep(120)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), database.name],
        env={**os.environ, "TEST_URL": database.text},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert database.name in postgresql.databases()
    process.kill()
    process.wait()
    process.stdout.close()
    assert wait_until(lambda: database.name not in postgresql.databases())


def test_a_killed_server_process_finds_its_rows_again(
    postgresql: Cluster, database: DatabaseUrl, tmp_path: Path
) -> None:
    with EmbeddedTarget(tmp_path, database=database) as target:
        assert buy(target, "ada@example.org") == 201
        owner = next(
            process
            for process in psutil.Process().children(recursive=True)
            if "server" in process.cmdline()
        )
        owner.send_signal(signal.SIGKILL)

        def answers() -> bool:
            try:
                return buy(target, "ada@example.org") == 201
            except (OSError, http.client.HTTPException):
                return False

        assert wait_until(answers)
        with postgresql.connect(database.name) as connection:
            found = connection.execute("SELECT count(*) FROM accounts_customuser").fetchone()
    assert found == (1,)


def test_what_was_there_under_the_name_is_neither_used_nor_dropped(
    postgresql: Cluster, tmp_path: Path
) -> None:
    with postgresql.database() as name:
        taken = DatabaseUrl(postgresql.url(), name)
        with pytest.raises(TargetError, match="already exists"):
            EmbeddedTarget(tmp_path, database=taken).start()
        assert name in postgresql.databases()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda url: url.replace("4711", "4712"), r"password authentication failed.*check host"),
        (lambda url: url.rpartition("/")[0] + "/nowhere", "does not exist.*check host"),
        (lambda url: url.rpartition(":")[0] + ":1/postgres", "refused.*check host, port"),
        (lambda url: url + "?sslmode=require", "SSL"),
        (lambda url: url + "?no_such_option=1", "no_such_option"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line(
    postgresql: Cluster, tmp_path: Path, change: Callable[[str], str], expected: str
) -> None:
    database = parse_database_url(change(postgresql.url()))
    with pytest.raises(TargetError, match=expected) as caught:
        EmbeddedTarget(tmp_path, database=database).start()
    text = str(caught.value)
    assert "\n" not in text
    assert "secret" not in text
    assert_no_secret(tmp_path / "server.log")


def test_a_role_that_may_not_create_databases_is_told_so(
    postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.connect() as connection:
        connection.execute("CREATE ROLE humble LOGIN PASSWORD 'pies'")
        try:
            database = parse_database_url(postgresql.url(credentials="humble:pies"))
            with pytest.raises(TargetError, match=r"permission denied.*CREATEDB"):
                EmbeddedTarget(tmp_path, database=database).start()
            connection.execute("ALTER ROLE humble CREATEDB")
            # A password that is in the environment need not be in the URL.
            monkeypatch.setenv("PGPASSWORD", "pies")
            database = parse_database_url(postgresql.url(credentials="humble"))
            with EmbeddedTarget(tmp_path, database=database) as target:
                assert buy(target, "ada@example.org") == 201
            assert database.name not in postgresql.databases()
        finally:
            connection.execute("DROP ROLE humble")


def test_the_lock_fault_makes_requests_wait_and_fail(database: DatabaseUrl, tmp_path: Path) -> None:
    with (
        EmbeddedTarget(tmp_path, database=database, faults=["lock"]) as target,
        ThreadPoolExecutor(12) as pool,
    ):
        emails = [f"ada{number}@example.org" for number in range(12)]
        statuses = list(pool.map(lambda email: buy(target, email), emails))
    assert 201 in statuses
    assert 500 in statuses
    assert "canceling statement due to lock timeout" in (tmp_path / "server.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://root:topsecret@localhost/x", "must begin with postgresql://"),
        ("localhost/x", "must begin with postgresql://"),
        ("postgresql://a:top/secret@localhost/x", "not a valid URL"),
        ("postgresql://a:topsecret@localhost:port/x", "not a valid URL"),
        ("postgresql://a:top secret@localhost/x", "spaces"),
        ("postgresql://a:top#secret@localhost/x", "not a valid URL"),
        ("postgresql://localhost/x#y", "must not contain #"),
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as caught:
        parse_database_url(url)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa_runner.targets.database_url.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'qa-runner\[postgresql\]'"):
        parse_database_url("postgresql://localhost/postgres")


def test_other_targets_choose_their_database_themselves() -> None:
    assert check_database("http://127.0.0.1:8000", "") is None
    with pytest.raises(UsageError, match="embedded target only"):
        check_database("http://127.0.0.1:8000", "postgresql://localhost/postgres")


def test_a_rerun_needs_the_same_kind_of_database() -> None:
    database = DatabaseUrl("postgresql://localhost", "qa_runner_1")
    check_same_database({}, None)
    check_same_database({"own_database": True}, database)
    with pytest.raises(UsageError, match="give --database-url again"):
        check_same_database({"own_database": True}, None)
    with pytest.raises(UsageError, match="leave --database-url out"):
        check_same_database({}, database)
