"""Whole runs with the embedded target on PostgreSQL."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from projects.postgresql import PASSWORD, Cluster
from running import Cli, Outcome, criteria

pytest.importorskip("psycopg_pool", reason="needs qa-runner[postgresql]")

SHORT = ("--step", "5.1", "--profile", "smoke")
SHORT += tuple(
    word
    for setting in ("watch=5", "idle=0.5", "every=0.8", "limit.database-time-p95=9s")
    for word in ("--set", f"5.1.{setting}")
)


@pytest.fixture
def whole(postgresql: Cluster, no_orphans: None) -> Iterator[Cluster]:
    """A server on which nothing may be left behind."""
    before = postgresql.databases()
    yield postgresql
    deadline = time.monotonic() + 20
    while postgresql.databases() != before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert postgresql.databases() == before


def table(run: dict[str, Any], name: str) -> list[dict[str, Any]]:
    (found,) = [
        table
        for step in run["steps"]
        for attempt in step["attempts"][-1:]
        for part in attempt["parts"]
        for table in part["tables"]
        if table["name"] == name
    ]
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]


def assert_kept_secret(folder: Path, *outcomes: Outcome) -> None:
    texts = [outcome.stdout + outcome.stderr for outcome in outcomes]
    texts += [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    for text in texts:
        assert PASSWORD[:-1] not in text
        assert "secret%40471" not in text


def test_a_run_and_a_rerun_have_databases_of_their_own(
    cli: Cli, whole: Cluster, tmp_path: Path
) -> None:
    done = cli("run", "PURCHASE-006", *SHORT, "--database-url", whole.url(), "--json")
    found = criteria(done.run)
    assert {c["id"]: c["verdict"] for c in found.values() if c["verdict"] != "PASS"} == {}
    assert "by the database's own count" in found["5.1-deadlocks"]["note"]
    activity = {row["what"]: row for row in table(done.run, "database_activity")}
    assert activity["open connections"]["at the end"] == 15
    assert activity["stored, MB"]["at the end"] > 0
    (folder,) = (tmp_path / "artifacts" / "purchase-006").glob("run-*")
    report = (folder / "report.html").read_text("utf-8")
    assert "The database meanwhile" in report
    assert "Load of the database probe in all" in report
    name = done.run["run_id"]

    refused = cli("rerun", name, "--step", "5")
    assert refused.code == 2
    assert "give --database-url again" in refused.error
    again = cli("rerun", name, "--step", "5", "--database-url", whole.url(), "--json")
    assert again.run["steps"][4]["attempts"][-1]["number"] == 2
    # What the first session stored went with its database: it is not missed in the second's.
    assert criteria(again.run)["5.1-unaccounted-transactions"]["verdict"] == "PASS"
    assert again.run["mark_session"] == 2
    assert_kept_secret(tmp_path, done, refused, again)


def test_who_waits_for_whom_stands_in_the_report(cli: Cli, whole: Cluster, tmp_path: Path) -> None:
    words = [*SHORT, "--step", "5.2", "--set", "5.2.requests=4", "--set", "5.2.users=2"]
    words += ["--fault", "lock", "--database-url", whole.url(), "--json"]
    done = cli("run", "PURCHASE-006", *words)
    found = criteria(done.run)
    assert found["5.1-lock-errors"]["verdict"] == "FAIL"
    assert found["5.2-database-connections-growth"]["verdict"] == "PASS"
    (kept,) = table(done.run, "connections")
    assert (kept["before"], kept["after"]) == (15, 15)
    (wait, *_) = table(done.run, "lock_waits")
    assert wait["waiting"].startswith("SELECT")
    assert wait["waiting"].endswith("FOR UPDATE")
    assert wait["longest s"] > 0
    assert_kept_secret(tmp_path, done)


def test_a_wrong_password_is_one_line(cli: Cli, whole: Cluster, tmp_path: Path) -> None:
    wrong = whole.url().replace("4711", "4712")
    done = cli("run", "PURCHASE-006", *SHORT, "--database-url", wrong)
    assert done.code == 4
    assert "password authentication failed" in done.error
    assert_kept_secret(tmp_path, done)


def test_the_demo_serves_from_postgresql_and_drops_its_database(
    background: Callable[..., subprocess.Popen[str]], whole: Cluster
) -> None:
    before = whole.databases()
    process = background("demo", "--port", "0", "--database-url", whole.url())
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.match(r"Purchase API on http://127\.0\.0\.1:\d+", line)
    (name,) = whole.databases() - before
    assert name.startswith("qa_runner_")
    process.terminate()
    process.wait(30)
