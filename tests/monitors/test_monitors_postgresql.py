"""The database probe on a real PostgreSQL server."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitors_site import FOLDER, MIGRATE, MODELS, PYTHON
from projects.postgresql import Cluster
from waiting import wait_until

from qa_runner.clock import Clock
from qa_runner.errors import ProbeError
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.database_result import LockWait
from qa_runner.monitors.project import DjangoProject
from qa_runner.table import Table

psycopg = pytest.importorskip("psycopg", reason="needs qa-runner[postgresql]")

SOMEBODY = "ada-4711@example.org"


def ignore(name: str, table: Table) -> None:
    """A sink that keeps nothing."""


class PostgresSite:
    """The small project over a database of this test's own."""

    def __init__(self, cluster: Cluster, database: str) -> None:
        self.cluster = cluster
        self.database = database

    def connect(self) -> Any:
        return psycopg.connect(self.cluster.url(self.database), autocommit=True)

    def execute(self, statement: str, *values: object) -> list[Any]:
        with self.connect() as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def add_purchase(self, email: str, intent: str) -> int:
        with self.connect() as connection:
            user = connection.execute(
                "INSERT INTO people_learner (password, is_superuser, contact) "
                "VALUES ('', false, %s) RETURNING id",
                [email],
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO wallet_purse (holder_id, lessons) VALUES (%s, 5)", [user]
            )
            return int(
                connection.execute(
                    "INSERT INTO shop_order (buyer_id, payment_ref, hidden) "
                    "VALUES (%s, %s, false) RETURNING id",
                    [user, intent],
                ).fetchone()[0]
            )

    def probe(self, url: str = "", options: str = "{}", **limits: float) -> DatabaseProbe:
        project = DjangoProject(
            interpreter=PYTHON,
            settings_module="site_settings",
            python_path=(str(FOLDER),),
            environment={
                "SITE_DATABASE": url or self.cluster.url(self.database),
                "SITE_OPTIONS": options,
            },
        )
        probe = DatabaseProbe(project, MODELS, "payment_ref", **limits)
        probe.interval_seconds = 60  # by hand
        return probe


@contextmanager
def running(probe: DatabaseProbe) -> Iterator[DatabaseProbe]:
    try:
        probe.start(Clock(), 1, ignore)
        yield probe
    finally:
        probe.stop()


@pytest.fixture(scope="module")
def template(postgresql: Cluster) -> Iterator[str]:
    """A database with the tables of the project, to be copied."""
    with postgresql.database() as name:
        subprocess.run(
            [PYTHON, "-B", "-c", MIGRATE],
            cwd=FOLDER,
            env={"DJANGO_SETTINGS_MODULE": "site_settings", "SITE_DATABASE": postgresql.url(name)},
            check=True,
            capture_output=True,
            timeout=60,
        )
        yield name


@pytest.fixture
def site(postgresql: Cluster, template: str) -> Iterator[PostgresSite]:
    with postgresql.database(template) as name:
        yield PostgresSite(postgresql, name)


def test_facts_tell_the_server_and_its_limits_but_no_secret(site: PostgresSite) -> None:
    site.add_purchase("old@example.org", "pi_1")
    with running(site.probe()) as probe:
        info = probe.info()
    assert (info.vendor, info.name) == ("postgresql", site.database)
    assert info.server_version
    assert info.isolation_level == "read committed"
    assert info.counts == {"transactions": 1, "users": 1, "balances": 1}
    assert info.estimated == ()
    assert info.details["connections allowed"] == 100
    assert info.details["lock timeout"] == "none"  # the server's, not the probe's own
    assert info.details["statement timeout"] == "none"
    assert set(info.table_bytes) == {"transactions", "users", "balances"}
    assert all(size > 0 for size in info.table_bytes.values())
    assert "secret" not in repr(info)
    assert "127.0.0.1" not in repr(info)


def test_what_the_project_asks_of_its_sessions_is_told_and_heeded(site: PostgresSite) -> None:
    options = {"isolation_level": psycopg.IsolationLevel.SERIALIZABLE, "server_side_binding": True}
    with running(site.probe(options=json.dumps(options))) as probe:
        site.add_purchase("a+tag7@example.org", "pi_1")
        assert probe.info().isolation_level == "serializable"
        assert probe.read_now().transactions_added == 1
        assert probe.integrity("tag7", probe.mark()).whole.problems == ()


def test_rows_and_integrity_are_read_as_on_any_database(site: PostgresSite) -> None:
    with running(site.probe()) as probe:
        site.add_purchase("a+tag7@example.org", "pi_1")
        read = probe.read_now()
        found = probe.integrity("tag7")
    assert (read.transactions_added, read.users_added, read.balances_added) == (1, 1, 1)
    assert [row.email for row in found.stored] == ["a+tag7@example.org"]
    assert found.whole.problems == ()
    assert found.whole.reasons == ()


def test_sessions_are_counted_by_state_without_the_probe_s_own(site: PostgresSite) -> None:
    with running(site.probe()) as probe, ExitStack() as stack:
        # The project asks for a pool of three: the probe opens one session, which is not counted.
        assert probe.read_now().connections == 0
        assert len(site.execute(SESSIONS, site.database)) == 2  # the probe's, and this one
        idle = stack.enter_context(site.connect())
        idle.execute("SELECT 1")
        held = stack.enter_context(site.connect())
        held.execute("BEGIN")
        held.execute("SELECT 1")
        assert wait_until(lambda: probe.read_now().state.idle_in_transaction == 1)
        state = probe.read_now().state
        elsewhere = stack.enter_context(site.cluster.connect())
        elsewhere.execute("SELECT 1")
        more = probe.read_now().state
    assert (state.connections, state.idle, state.idle_in_transaction) == (2, 1, 1)
    assert (state.active, state.waiting) == (0, 0)
    assert state.longest_transaction_seconds is not None
    assert state.longest_transaction_seconds > 0
    assert state.longest_idle_in_transaction_seconds is not None
    assert more.connections == 2
    assert more.server_connections == (state.server_connections or 0) + 1


SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"


def test_a_lock_wait_says_who_waits_for_whom_without_the_values(site: PostgresSite) -> None:
    key = site.add_purchase(SOMEBODY, "pi_1")
    update = f"UPDATE people_learner SET contact = '{SOMEBODY}' WHERE contact = '{SOMEBODY}'"  # noqa: S608
    with running(site.probe()) as probe, ExitStack() as stack:
        blocker, waiter = (stack.enter_context(site.connect()) for _ in range(2))
        pids = (waiter.info.backend_pid, blocker.info.backend_pid)
        blocker.execute("BEGIN")
        blocker.execute(update)
        thread = threading.Thread(target=waiter.execute, args=(update,))
        thread.start()
        try:
            assert wait_until(lambda: probe.read_now().state.waiting == 1)
            read = probe.read_now()
        finally:
            blocker.execute("ROLLBACK")
            thread.join()
        seen = probe.lock_waits(0, probe.clock.now())
        row = probe.rows().text("waits")[-1]
        after = probe.read_now().state
    (wait,) = read.state.waits
    assert isinstance(wait, LockWait)
    assert (wait.pid, wait.blocker_pid) == pids
    assert wait.lock == "transactionid"
    assert wait.blocker_state == "idle in transaction"
    assert wait.statement == "UPDATE people_learner SET contact = ? WHERE contact = ?"
    assert seen[-1] == wait
    assert f"{wait.pid} waits" in row
    assert f"for {wait.blocker_pid}, idle in transaction" in row
    assert SOMEBODY not in row
    assert (after.waiting, after.waits) == (0, ())
    assert after.longest_wait_seconds is None
    assert key > 0


def test_transactions_and_deadlocks_are_the_target_s_alone(site: PostgresSite) -> None:
    first, second = (site.add_purchase(f"{n}@example.org", f"pi_{n}") for n in "ab")
    with running(site.probe()) as probe:
        for _ in range(5):
            quiet = probe.read_now()
        # Its own transactions are taken out; what is left is what this test does.
        assert quiet.activity.commits is not None
        before = quiet.activity.commits
        with site.connect() as connection:
            for _ in range(40):
                connection.execute("SELECT 1")
            for _ in range(3):
                with suppress(psycopg.Error):
                    connection.execute("SELECT 1/0")
        assert wait_until(lambda: (probe.read_now().activity.rollbacks or 0) >= 3)
        _deadlock(site, first, second)
        assert wait_until(lambda: probe.read_now().activity.deadlocks == 1)
        activity = probe.read_now().activity
        own = probe.read_now().own
        rows = probe.rows()
    assert activity.commits is not None
    assert 40 <= activity.commits - before <= 70
    assert own.statements > 40
    assert own.busy_seconds > 0
    assert rows.number("deadlocks")[-1] == 1
    assert (np.diff(rows.number("probe_statements")) > 0).all()


def _deadlock(site: PostgresSite, first: int, second: int) -> None:
    """Two transactions that update two rows in opposite order; one of them fails."""
    update = "UPDATE shop_order SET hidden = true WHERE id = %s"
    barrier = threading.Barrier(2)

    def run(one: int, other: int) -> None:
        with (
            suppress(psycopg.errors.DeadlockDetected),
            site.connect() as connection,
            connection.transaction(),
        ):
            connection.execute(update, [one])
            barrier.wait(20)
            connection.execute(update, [other])

    threads = [
        threading.Thread(target=run, args=pair) for pair in ((first, second), (second, first))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_transaction_is_held_open(site: PostgresSite) -> None:
    with running(site.probe()) as probe:
        probe.read_now()
        probe.integrity("tag7")
        probe.mark()
        states = site.execute(
            "SELECT state, xact_start FROM pg_stat_activity WHERE application_name = %s",
            "qa-runner probe",
        )
    assert states == [("idle", None)]


def test_a_lock_on_a_table_is_waited_for_for_some_seconds_only(site: PostgresSite) -> None:
    with running(site.probe()) as probe, site.connect() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE shop_order IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(ProbeError, match=r"lock timeout.*it tries again"):
            probe.read_now()
        other.execute("ROLLBACK")
        assert probe.read_now().transactions_added == 0
        assert probe.reason == ""


def test_a_connection_that_was_ended_is_opened_again(site: PostgresSite) -> None:
    with running(site.probe()) as probe:
        probe.read_now()
        ended = site.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            "qa-runner probe",
        )
        assert ended == [(True,)]
        with pytest.raises(ProbeError, match="opens another"):
            probe.read_now()
        assert probe.read_now().transactions_added == 0


def test_checks_that_take_too_long_leave_time_for_the_others(site: PostgresSite) -> None:
    site.add_purchase("a@example.org", "pi_1")
    # One of the four questions is slow to answer: each look at this table takes 1.2 s.
    site.execute("ALTER TABLE wallet_purse RENAME TO purses")
    site.execute("CREATE VIEW wallet_purse AS SELECT * FROM purses WHERE pg_sleep(1.2) IS NOT NULL")
    with running(site.probe(request_limit_seconds=5.0)) as probe:
        before = probe.mark().before
    assert before.users_without_balance is None
    assert len(before.reasons) == 1
    assert "statement timeout" in before.reasons[0]
    assert before.orphan_transactions == 0
    assert before.duplicate_intents == 0
    assert before.problems == ()


def test_constraints_that_are_not_valid_are_problems(site: PostgresSite) -> None:
    site.execute("ALTER TABLE shop_order ADD CONSTRAINT named CHECK (payment_ref <> '') NOT VALID")
    with running(site.probe()) as probe:
        found = probe.integrity("tag7").whole.problems
    assert found == ("constraint not valid: shop_order.named",)


def test_an_index_that_is_not_valid_is_a_problem(site: PostgresSite) -> None:
    for number in (1, 2):
        site.add_purchase(f"{number}@example.org", "pi_same")
    with suppress(psycopg.errors.UniqueViolation):
        site.execute("CREATE UNIQUE INDEX CONCURRENTLY half ON shop_order (payment_ref)")
    with running(site.probe()) as probe:
        found = probe.integrity("tag7").whole.problems
    assert found == ("invalid index: half",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda url: url.replace("4711", "4712"), "check USER and PASSWORD"),
        (lambda url: url.replace("shop%2Bowner", "nobody"), "check USER and PASSWORD"),
        (lambda url: f"{url}_gone", "check NAME in DATABASES"),
        (lambda url: url.rpartition("/")[0] + "/template1", "migrated"),
        (lambda url: url.replace("127.0.0.1", "no-such-host.invalid"), "check HOST"),
        (lambda url: url.rpartition(":")[0] + ":1/postgres", "does the database server run"),
    ],
)
def test_a_database_that_cannot_be_had_is_one_line_with_the_remedy(
    site: PostgresSite, change: Callable[[str], str], expected: str
) -> None:
    probe = site.probe(change(site.cluster.url(site.database)))
    with pytest.raises(ProbeError) as caught, running(probe):
        pass
    text = str(caught.value)
    assert expected in text
    assert "\n" not in text
    assert "secret" not in text
    assert probe.pid is None


def test_a_role_that_may_only_read_is_enough_except_for_cleanup(site: PostgresSite) -> None:
    role = f"reader_{site.database}"
    site.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'read'")
    try:
        site.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        url = site.cluster.url(site.database, credentials=f"{role}:read")
        with running(site.probe(url)) as probe:
            site.add_purchase("a+tag7@example.org", "pi_1")
            read = probe.read_now()
            with pytest.raises(ProbeError, match=r"permission denied.*user that the server has"):
                probe.cleanup("tag7")
            assert probe.read_now().transactions_added == 1
        assert read.transactions_added == 1
        assert read.activity.commits is not None
    finally:
        site.execute(f"DROP OWNED BY {role}")
        site.execute(f"DROP ROLE {role}")


@contextmanager
def pooler(port: int) -> Iterator[int]:
    """Stands between as pgbouncer does, as far as keys go: the port that it listens on."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = [listener]

    def forward(source: socket.socket, sink: socket.socket, *, keys: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if keys and (at := data.find(b"K\x00\x00\x00\x0c")) >= 0:
                    data = data[: at + 5] + b"\x00\x00\x00\x07" + data[at + 9 :]
                    keys = False
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                held.extend((client, server))
                for source, sink, keys in ((client, server, False), (server, client, True)):
                    threading.Thread(
                        target=forward, args=(source, sink), kwargs={"keys": keys}, daemon=True
                    ).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        for one in held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def test_nothing_is_set_for_a_session_that_a_pooler_hands_on(site: PostgresSite) -> None:
    log = site.cluster.folder / "log"
    site.execute(f"ALTER DATABASE {site.database} SET log_statement = 'all'")
    before = len(log.read_bytes())
    with pooler(site.cluster.port) as port:
        url = site.cluster.url(site.database).replace(f":{site.cluster.port}/", f":{port}/")
        with running(site.probe(url)) as probe:
            assert probe.read_now().transactions_added == 0
            assert probe.mark().before.reasons == ()
            assert "pooler" in str(probe.info().details["connected through"])
    pooled = log.read_bytes()[before:]
    with running(site.probe()) as probe:
        assert probe.read_now().transactions_added == 0
    direct = log.read_bytes()[before + len(pooled) :]
    assert b"FROM pg_stat_database" in pooled
    assert b"set_config('statement_timeout'" not in pooled
    assert b"set_config('lock_timeout'" not in pooled
    assert b"set_config('statement_timeout'" in direct


def test_a_server_that_stops_leaves_readings_with_the_reason(
    site: PostgresSite, tmp_path: Path
) -> None:
    probe = site.probe()
    with running(probe):
        site.execute("SELECT 1")
        with site.cluster.connect() as other:
            # As good as gone for whoever wants this database.
            other.execute(f"ALTER DATABASE {site.database} WITH ALLOW_CONNECTIONS false")
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [site.database],
            )
            for _ in range(3):
                with pytest.raises(ProbeError):
                    probe.read_now()
            other.execute(f"ALTER DATABASE {site.database} WITH ALLOW_CONNECTIONS true")
        assert probe.read_now().transactions_added == 0
        errors = probe.rows().text("error")
    answered = "the database answers: ", "the database cannot be opened: "
    assert all(text.startswith(answered) for text in errors[1:4])
    assert errors[-1] == ""
