"""The database probe, in its own process, on a real project and a real SQLite file."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psutil
import pytest
from monitors_site import FOLDER, MODELS, Site
from waiting import wait_until

from qa_runner.clock import Clock
from qa_runner.errors import ProbeError
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.database_result import Mark
from qa_runner.monitors.project import DjangoProject
from qa_runner.table import Table


def ignore(name: str, table: Table) -> None:
    """A sink that keeps nothing."""


@contextmanager
def running(probe: DatabaseProbe) -> Iterator[DatabaseProbe]:
    try:
        probe.start(Clock(), 1, ignore)
        yield probe
    finally:
        pid = probe.pid
        probe.stop()
        assert pid is None or not psutil.pid_exists(pid)


def refused(probe: DatabaseProbe) -> str:
    """The one line with which a probe refuses to start; nothing of it is left."""
    with pytest.raises(ProbeError) as caught, running(probe):
        pass
    text = str(caught.value)
    assert "\n" not in text
    assert probe.reason == text
    assert probe.pid is None
    return text


def test_info_names_project_and_database(site: Site) -> None:
    site.add_purchase("old@example.org", "pi_1")
    with running(site.probe()) as probe:
        info = probe.info()
    assert info.vendor == "sqlite"
    assert info.name == str(site.database.resolve())
    assert info.busy_timeout_seconds == 7
    assert info.transaction_mode == "DEFERRED"
    assert info.journal_mode == "delete"
    assert info.debug is False
    assert info.counts == {"transactions": 1, "users": 1, "balances": 1}


def test_a_read_counts_only_rows_after_the_start(site: Site) -> None:
    site.add_purchase("old@example.org", "pi_1")
    with running(site.probe()) as probe:
        assert probe.read_now().transactions_added == 0
        site.add_purchase("new@example.org", "pi_2")
        site.add_order(None, "pi_3", hidden=True)
        before = probe.clock.now()
        read = probe.read_now()
        assert (read.transactions_added, read.users_added, read.balances_added) == (2, 1, 1)
        assert before <= read.start <= read.end <= probe.clock.now()
        assert 0 < read.query_seconds < 20
        assert read.connections is None
        assert probe.rows().number("transactions_added")[-1] == 2


def test_it_samples_by_itself_and_hands_rows_to_the_sink(site: Site) -> None:
    written: list[tuple[str, int]] = []
    probe = site.probe()
    probe.interval_seconds = 0.05
    try:
        probe.start(Clock(), 4, lambda name, table: written.append((name, len(table))))
        assert wait_until(lambda: len(probe.rows()) >= 4)
    finally:
        probe.stop()
    rows = probe.rows()
    assert set(rows.number("session")) == {4.0}
    assert (rows.number("read_end") >= rows.number("time")).all()
    assert sum(count for _, count in written) == len(rows)
    assert {name for name, _ in written} == {"database"}


def test_integrity_of_correct_purchases_is_clean(site: Site) -> None:
    site.add_purchase("old@example.org", "pi_1")
    with running(site.probe()) as probe:
        key = site.add_purchase("a+tag7@example.org", "pi_2")
        found = probe.integrity("tag7")
    assert [(row.pk, row.email, row.intent) for row in found.stored] == [
        (key, "a+tag7@example.org", "pi_2")
    ]
    assert [user.email for user in found.users] == ["a+tag7@example.org"]
    assert not found.users_without_balance
    assert not found.users_without_transaction
    assert not found.orphan_transactions
    assert not found.duplicate_intents
    assert found.whole.orphan_transactions == 0
    assert found.whole.problems == ()
    assert found.whole.reasons == ()


def test_integrity_tells_what_is_new_from_what_was_there(site: Site) -> None:
    site.add_order(None, "pi_old")
    site.add_order(site.add_user("lonely@example.org"), "pi_old")
    with running(site.probe()) as probe:
        mark = probe.mark()
        assert mark.before.orphan_transactions == 1
        assert mark.before.users_without_balance == 1
        assert mark.before.duplicate_intents == 1
        unset = site.add_order(None, "pi_2")
        dangling = site.add_order(999_999, "pi_2")
        partial = site.add_user("partial+tag7@example.org")
        unpaid = site.add_user("unpaid+tag7@example.org")
        site.add_order(unpaid, "pi_old", hidden=True)
        found = probe.integrity("tag7", mark)
    assert list(found.orphan_transactions) == [unset, dangling]
    assert [user.pk for user in found.users_without_balance] == [partial, unpaid]
    assert [user.pk for user in found.users_without_transaction] == [partial]
    assert {(row.intent, row.count) for row in found.duplicate_intents} == {
        ("pi_2", 2),
        ("pi_old", 3),
    }
    assert [row.email for row in found.stored] == [None, None, "unpaid+tag7@example.org"]
    assert found.whole.orphan_transactions == 3
    assert found.whole.users_without_balance == 3
    assert found.whole.problems is not None
    assert any("foreign_key_check" in line for line in found.whole.problems)


def test_a_mark_of_an_earlier_session_counts_its_rows_again(site: Site) -> None:
    with running(site.probe()) as probe:
        mark = probe.mark()
    site.add_purchase("a+tag7@example.org", "pi_1")
    numbers = Mark(transactions=mark.transactions, users=mark.users, balances=mark.balances)
    with running(site.probe()) as probe:
        assert not probe.integrity("tag7").stored
        assert len(probe.integrity("tag7", numbers).stored) == 1


def test_users_counts_those_of_the_tag(site: Site) -> None:
    site.add_user("a+tag7@example.org")
    site.add_user("b+tag7@example.org")
    site.add_user("b+tag8@example.org")
    with running(site.probe()) as probe:
        assert probe.users("tag7") == 2
        with pytest.raises(ProbeError, match="every user"):
            probe.users("")


def test_cleanup_removes_the_rows_of_the_run_and_nothing_else(site: Site) -> None:
    site.add_purchase("before+tag7@example.org", "pi_1")
    site.add_order(None, "pi_1")
    with running(site.probe()) as probe:
        site.add_purchase("a+tag7@example.org", "pi_2")
        site.add_purchase("someone@example.org", "pi_3")
        site.add_user("b+tag7@example.org")
        acknowledged = site.add_order(None, "pi_4")
        other = site.add_order(None, "pi_5")
        group = site.execute("INSERT INTO auth_group (name) VALUES ('learners')")
        member = site.add_user("c+tag7@example.org")
        site.execute(
            "INSERT INTO people_learner_groups (learner_id, group_id) VALUES (?, ?)", member, group
        )
        removed = probe.cleanup("tag7", [acknowledged])
        assert (removed.transactions, removed.balances, removed.users) == (2, 1, 3)
        assert probe.cleanup("tag7", [acknowledged]).users == 0
        assert probe.integrity("tag7").orphan_transactions == (other,)
    assert site.count("people_learner") == 2
    assert site.count("people_learner_groups") == 0
    assert site.count("auth_group") == 1
    assert site.count("shop_order") == 4


def test_cleanup_refuses_to_cascade_outside_the_models(site: Site) -> None:
    with running(site.probe()) as probe:
        site.add_purchase("a+tag7@example.org", "pi_1")
        user = site.add_user("b+tag7@example.org")
        site.execute("INSERT INTO remarks_remark (about_id, text) VALUES (?, '')", user)
        with pytest.raises(ProbeError, match=r"remarks\.Remark"):
            probe.cleanup("tag7")
    assert site.count("people_learner") == 2
    assert site.count("shop_order") == 1
    assert site.count("remarks_remark") == 1


def test_reads_hold_no_transaction_open(site: Site) -> None:
    with running(site.probe()) as probe:
        probe.read_now()
        probe.integrity("tag7")
        # An exclusive lock is only to be had while nobody reads.
        other = sqlite3.connect(site.database, timeout=5, isolation_level=None)
        with probe._measuring, closing(other):
            other.execute("BEGIN EXCLUSIVE")
            other.execute("ROLLBACK")


def test_a_locked_database_is_a_row_with_an_error_and_passes(site: Site) -> None:
    probe = site.probe()
    probe.interval_seconds = 60
    with running(probe), closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ProbeError, match="database is locked"):
            probe.read_now()
        other.execute("ROLLBACK")
        assert probe.read_now().transactions_added == 0
        rows = probe.rows()
        assert "database is locked" in rows.text("error")[-2]
        assert math.isnan(rows.number("transactions_added")[-2])
        assert rows.text("error")[-1] == ""
        assert probe.reason == ""


def test_a_killed_probe_is_started_again_once(site: Site) -> None:
    probe = site.probe()
    probe.interval_seconds = 60
    with running(probe):
        first = probe.pid
        assert first is not None
        site.add_purchase("a+tag7@example.org", "pi_1")
        os.kill(first, signal.SIGKILL)
        # Counts from the same start as before.
        assert probe.read_now().transactions_added == 1
        assert probe.pid not in {first, None}
        assert any("started again" in note for note in probe.notes())
        os.kill(probe.pid or 0, signal.SIGKILL)
        with pytest.raises(ProbeError, match="read no further"):
            probe.read_now()
        assert "signal 9" in probe.reason
        with pytest.raises(ProbeError, match="read no further"):
            probe.info()


def test_a_probe_that_does_not_answer_is_replaced(site: Site) -> None:
    probe = DatabaseProbe(site.project(), MODELS, "payment_ref", request_limit_seconds=3.0)
    probe.interval_seconds = 60
    with running(probe):
        first = probe.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        assert probe.read_now().transactions_added == 0
        assert probe.pid != first
        assert not psutil.pid_exists(first)
        assert any("did not answer within 3 s" in note for note in probe.notes())


def test_wrong_settings_are_named(site: Site) -> None:
    project = site.project()
    wrong = DjangoProject(
        project.interpreter, "no_such_settings", project.python_path, project.environment
    )
    text = refused(DatabaseProbe(wrong, MODELS, "payment_ref"))
    assert "no_such_settings" in text
    assert "check the settings module" in text


def test_settings_that_raise_are_quoted(site: Site) -> None:
    assert "SITE_KEY is not set" in refused(site.probe(SITE_MODE="raise"))


def test_settings_that_exit_are_reported(site: Site) -> None:
    assert "exit code 3" in refused(site.probe(SITE_MODE="exit"))


def test_settings_that_hang_are_given_up(site: Site) -> None:
    probe = DatabaseProbe(
        site.project(SITE_MODE="hang"), MODELS, "payment_ref", start_limit_seconds=3.0
    )
    text = refused(probe)
    assert "did not answer within 3 s" in text
    assert "waiting for the licence server" in text


def test_an_interpreter_that_is_missing_is_named(site: Site) -> None:
    project = DjangoProject("/no/such/python", "site_settings", (str(FOLDER),))
    text = refused(DatabaseProbe(project, MODELS, "payment_ref"))
    assert "/no/such/python" in text
    assert "the Python that the server runs with" in text


def test_an_interpreter_without_django_is_named(site: Site) -> None:
    # The interpreter below the virtual environment, without its packages.
    bare = os.path.realpath(sys.executable)
    has_django = subprocess.run([bare, "-c", "import django"], capture_output=True, check=False)
    if has_django.returncode == 0:
        pytest.skip("the base interpreter has Django")
    project = site.project()
    without = DjangoProject(bare, "site_settings", project.python_path, project.environment)
    assert "Django cannot be imported" in refused(DatabaseProbe(without, MODELS, "payment_ref"))


def test_a_database_that_cannot_be_opened_is_reported(site: Site) -> None:
    text = refused(site.probe(SITE_DATABASE=str(site.database.parent)))
    assert "unable to open database file" in text
    assert text.startswith("the database cannot be opened: ")
    assert "check NAME in DATABASES" in text


def test_a_database_that_is_missing_is_not_made(site: Site) -> None:
    missing = site.database.with_name("missing.sqlite3")
    text = refused(site.probe(SITE_DATABASE=str(missing)))
    assert f"there is no database file {missing.resolve()}" in text
    assert "check NAME in DATABASES" in text
    assert not missing.exists()


def test_a_database_without_tables_is_reported(site: Site) -> None:
    empty = site.database.with_name("empty.sqlite3")
    empty.touch()
    assert "migrated" in refused(site.probe(SITE_DATABASE=str(empty)))


@pytest.mark.parametrize(
    ("changed", "intent", "expected"),
    [
        ({"users": "accounts.Learner"}, "payment_ref", "people.Learner"),
        ({"users": "people.Teacher"}, "payment_ref", "people.Learner"),
        ({"transactions": "shop.Coupon"}, "payment_ref", "no relation"),
        ({"transactions": "shop.Swap"}, "payment_ref", "first, second"),
        ({"transactions": "shop.Swap.third"}, "payment_ref", "relation third"),
        ({"transactions": "shop.Gift.taker"}, "code", "primary key"),
        ({}, "stripe_id", "payment_ref"),
        ({"balances": ""}, "payment_ref", "balances"),
    ],
)
def test_a_wrong_model_names_the_candidates(
    site: Site, changed: dict[str, str], intent: str, expected: str
) -> None:
    assert expected in refused(DatabaseProbe(site.project(), {**MODELS, **changed}, intent))


@pytest.mark.parametrize("wrong", ["model", "database"])
def test_settings_are_told_where_nothing_else_can_be_opened(site: Site, wrong: str) -> None:
    probe = (
        DatabaseProbe(site.project(), {**MODELS, "users": "people.Teacher"}, "payment_ref")
        if wrong == "model"
        else site.probe(SITE_DATABASE=str(site.database.parent))
    )
    try:
        with pytest.raises(ProbeError):
            probe.start(Clock(), 1, ignore)
        assert "people" in probe.project().apps
        assert probe.project().debug is False
        assert probe.measure() == []
        with pytest.raises(ProbeError, match=probe.reason[:20]):
            probe.info()
        pid = probe.pid
        assert pid is not None
    finally:
        probe.stop()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ProbeError, match="does not run"):
        probe.project()


def test_a_program_that_is_no_python_is_asked_about(site: Site) -> None:
    project = DjangoProject("/bin/ls", "site_settings", (str(FOLDER),))
    text = refused(DatabaseProbe(project, MODELS, "payment_ref"))
    assert "interpreter /bin/ls cannot be run as one" in text
    assert "is it a Python?" in text


def test_one_of_several_relations_can_be_named(site: Site) -> None:
    models = {**MODELS, "transactions": "shop.Swap.second"}
    with running(DatabaseProbe(site.project(), models, "payment_ref")) as probe:
        first, second = site.add_user("a@example.org"), site.add_user("b+tag7@example.org")
        site.execute(
            "INSERT INTO shop_swap (first_id, second_id, payment_ref) VALUES (?, ?, 'x')",
            first,
            second,
        )
        assert [row.email for row in probe.integrity("tag7").stored] == ["b+tag7@example.org"]


def test_stopping_twice_or_before_the_start_is_harmless(site: Site) -> None:
    probe = site.probe()
    probe.stop()
    with pytest.raises(ProbeError, match="not started"):
        probe.info()
    with running(probe):
        pass
    probe.stop()


PARENT = """
import sys, time
sys.path.insert(0, {tests!r})
from monitors_site import Site
from pathlib import Path
from qa_runner.clock import Clock
probe = Site(Path({database!r})).probe()
probe.start(Clock(), 1, lambda name, table: None)
print(probe.pid, flush=True)
time.sleep(60)
"""


def test_the_probe_ends_when_its_parent_is_killed(
    site: Site, started: Callable[[list[str]], subprocess.Popen[str]]
) -> None:
    code = PARENT.format(tests=str(FOLDER.parent), database=str(site.database))
    parent = started([sys.executable, "-c", code])
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_facts_and_sizes_of_the_file_are_read(site: Site) -> None:
    site.execute("PRAGMA journal_mode = WAL")
    with running(site.probe()) as probe:
        info = probe.info()
        with closing(sqlite3.connect(site.database)) as other:
            # Its log stays for as long as somebody has the database open.
            other.execute("INSERT INTO auth_group (name) VALUES ('learners')")
            other.commit()
            read = probe.read_now()
    assert info.journal_mode == "wal"
    assert info.details == {"synchronous": "FULL"}
    assert read.state.stored_bytes == site.database.stat().st_size
    assert (read.state.wal_bytes or 0) > 0
    assert read.activity.commits is None
    assert read.own.statements > 0


def test_big_tables_are_estimated_rather_than_counted(site: Site) -> None:
    site.execute("INSERT INTO shop_order (id, payment_ref, hidden) VALUES (5000000, 'x', 0)")
    with running(site.probe()) as probe:
        info = probe.info()
        site.add_order(None, "pi_new")
        assert probe.read_now().transactions_added == 1
    assert info.counts == {"transactions": 5_000_000, "users": 0, "balances": 0}
    assert info.estimated == ("transactions",)


def test_a_file_that_is_gone_or_another_one_is_told(site: Site) -> None:
    probe = site.probe()
    probe.interval_seconds = 60
    with running(probe):
        kept = site.database.with_name("kept.sqlite3")
        site.database.rename(kept)
        with pytest.raises(ProbeError, match=r"site\.sqlite3 is gone"):
            probe.read_now()
        shutil.copy(kept, site.database)
        with pytest.raises(ProbeError, match="replaced by another one"):
            probe.integrity("tag7")
        site.database.unlink()
        kept.rename(site.database)
        assert probe.read_now().transactions_added == 0
        assert probe.reason == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_database_that_can_only_be_read_is_read(site: Site) -> None:
    site.database.chmod(0o444)
    site.database.parent.chmod(0o555)
    try:
        with running(site.probe()) as probe:
            assert probe.read_now().transactions_added == 0
            with pytest.raises(ProbeError, match="can only be read"):
                probe.cleanup("tag7")
    finally:
        site.database.parent.chmod(0o755)


def test_a_database_that_takes_no_writes_is_read(site: Site) -> None:
    with running(site.probe(SITE_MODE="reads only")) as probe:
        site.add_purchase("a+tag7@example.org", "pi_1")
        assert probe.read_now().transactions_added == 1
        with pytest.raises(ProbeError, match="can only be read"):
            probe.cleanup("tag7")
        assert probe.read_now().transactions_added == 1


def test_a_file_that_is_no_database_is_told(site: Site) -> None:
    site.database.write_bytes(b"no database" * 1000)
    text = refused(site.probe())
    assert "file is not a database" in text
    assert "check NAME in DATABASES" in text


def test_a_database_that_is_slow_to_read_is_read_less_often(site: Site) -> None:
    probe = site.probe()
    probe.interval_seconds = 0.5
    with running(probe), probe._measuring:  # no reading of its own meanwhile
        probe._slow_down(1.5)
        assert probe.interval_seconds == 3
        assert any("read less often" in note for note in probe.notes())
        probe._slow_down(0.001)
        assert probe.interval_seconds == 0.5
