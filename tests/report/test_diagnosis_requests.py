"""Causes of requests that failed: each rule fires on its fault and is silent on a look-alike."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from diagnosed import PATH, Part, database, log, series, server, store, told

from qa_runner.check_result import CheckResult, Level
from qa_runner.report.failures import groups
from qa_runner.report.source import Source
from qa_runner.store import RunReader

RATE = "success_rate >= 90 %"
LOCKED = "HTTP 500: database is locked"


def columns_of(count: int, failed: int, **columns: object) -> dict[str, object]:
    """Columns of ``count`` requests of which the first ``failed`` have these, the rest none."""
    given = {"outcome": "server error", "status": 500.0, "error": "HTTP 500", **columns}
    usual = {"outcome": "success", "status": 201.0, "error": "", "excerpt": "", "extracted": ""}
    usual |= {"service": 0.02, "connect": 0.0003, "json_object": 1.0}
    return {
        name: [value] * failed + [usual[name]] * (count - failed) for name, value in given.items()
    }


def part(count: int = 20, failed: int = 12, *, id: str = "3.1", **columns: object) -> Part:  # noqa: A002 (as the field)
    rate = 100 * (1 - failed / count)
    return Part(id, count, [(RATE, rate)], columns_of(count, failed, **columns))


# ---------------------------------------------------------------- SQLite


def test_a_lock_upgrade_is_told_by_its_speed(tmp_path: Path) -> None:
    one = part(error=LOCKED, service=0.3)
    one.criteria = [(RATE, 40.0), ("lock_errors == 0", 12), ("response_time p(95) < 5 s", 0.3)]
    one.tables = [database(busy_timeout_s=5.0, journal_mode="wal", transaction_mode="DEFERRED")]
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["sqlite-lock-upgrade"]
    row = rows["sqlite-lock-upgrade"]
    assert row["sentence"] == (
        "3.1-success-rate: 40 % instead of at least 90 %: 12 of 20 requests in 3.1 were answered "
        "with “database is locked” after 300 ms in the median, long before the busy timeout of "
        "5 s: SQLite refuses at once to let a transaction write that has read before another one "
        "wrote. Also affected: 3.1-lock-errors."
    )
    assert row["evidence"] == "part-3.1"
    assert '"transaction_mode": "IMMEDIATE"' in row["remedy"]
    assert "WAL" not in row["remedy"]


def test_a_lock_that_was_waited_for_is_no_upgrade(tmp_path: Path) -> None:
    one = part(error=LOCKED, service=5.2)
    one.criteria = [(RATE, 40.0), ("lock_errors == 0", 12)]
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["sqlite-lock-wait"]
    assert (
        "after 5.20 s in the median, with the usual busy timeout of 5 s"
        in rows["sqlite-lock-wait"]["sentence"]
    )


def test_an_immediate_transaction_upgrades_nothing(tmp_path: Path) -> None:
    one = part(error=LOCKED, service=0.3)
    one.tables = [database(busy_timeout_s=0.3, transaction_mode="IMMEDIATE")]
    assert list(told(store(tmp_path / "run", one))) == ["sqlite-lock-wait"]


def test_both_kinds_of_lock_are_told_with_their_numbers(tmp_path: Path) -> None:
    service = [0.2] * 8 + [5.1] * 6 + [0.02] * 6
    one = part(failed=14, error=LOCKED)
    one.columns = {**one.columns, "service": service}
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["sqlite-lock-upgrade", "sqlite-lock-wait"]
    assert "8 of 20 requests" in rows["sqlite-lock-upgrade"]["sentence"]
    assert rows["sqlite-lock-wait"]["sentence"].startswith("6 of 20 requests in 3.1 were answered")


def test_the_log_says_why_where_the_answers_do_not(tmp_path: Path) -> None:
    text = "ERROR django.request: Internal Server Error … OperationalError: database is locked"
    records = [(12.0, "ERROR", "lock", text)] * 12
    folder = store(tmp_path / "run", part(service=0.3), tables={"log": log(*records)})
    assert list(told(folder)) == ["sqlite-lock-upgrade"]
    other = "ERROR django.request: Internal Server Error … KeyError: 'plan'"
    records = [(12.0, "ERROR", "lock", text)] * 2 + [(12.0, "ERROR", "server-error", other)] * 10
    rows = told(store(tmp_path / "other", part(service=0.3), tables={"log": log(*records)}))
    assert list(rows) == ["failed-requests"]
    assert "the server log says “KeyError: 'plan'”" in rows["failed-requests"]["sentence"]


def test_only_a_traceback_that_was_logged_says_where_an_error_was_raised(tmp_path: Path) -> None:
    line = "ERROR django.request: Internal Server Error: /finances/api/purchase/initiate/"

    def remedy(name: str, text: str, *checks: CheckResult) -> str:
        records = [(12.0, "ERROR", "server-error", text)] * 12
        folder = store(tmp_path / name, part(), tables={"log": log(*records)}, checks=[*checks])
        return str(told(folder)["failed-requests"]["remedy"])

    not_there = "Look for the exception in the server's log, and log it if it is not there."
    assert remedy("line", line) == not_there
    assert remedy("traceback", f"{line} … KeyError: 'plan'") == (
        "The server's log has the exception and where it was raised."
    )
    said = "server.log, 1.2 MB; only what comes from now on is read"
    check = CheckResult(id="server-log", title="Server log", level=Level.OK, text=said)
    assert remedy("named", f"{line} … KeyError: 'plan'", check) == (
        "The server's log server.log has the exception and where it was raised."
    )
    assert "in the server's log server.log, and" in remedy("named-line", line, check)


def test_what_the_database_refuses_has_its_own_remedies(tmp_path: Path) -> None:
    for rule, error in {
        "deadlock": "HTTP 500: deadlock detected",
        "statement-timeout": "HTTP 500: canceling statement due to statement timeout",
        "lock-wait": "HTTP 500: canceling statement due to lock timeout",
        "connections-exhausted": "HTTP 500: FATAL: sorry, too many clients already",
        "database-gone": "HTTP 500: server closed the connection unexpectedly",
        "database-read-only": "HTTP 500: attempt to write a readonly database",
        "not-migrated": "HTTP 500: no such table: finances_purchase",
    }.items():
        rows = told(store(tmp_path / rule, part(error=error)))
        assert list(rows) == [rule]
        assert rows[rule]["remedy"]
    rows = told(store(tmp_path / "other", part(error="HTTP 500: the lock of the door")))
    assert list(rows) == ["failed-requests"]


def test_what_only_the_database_counted_is_told_as_well(tmp_path: Path) -> None:
    one = Part("5.1", 20, [("deadlocks == 0", 3), ("database_timeouts == 0", 0)])
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["deadlock"]
    assert rows["deadlock"]["sentence"] == (
        "5.1-deadlocks: 3 instead of 0: transactions deadlocked, each holding rows that the other "
        "wants."
    )
    records = [(12.0, "ERROR", "deadlock", "ERROR db: deadlock detected")] * 2
    rows = told(store(tmp_path / "log", one, tables={"log": log(*records)}))
    assert "the server's log has 2 records of it" in rows["deadlock"]["sentence"]


# ---------------------------------------------------------------- connects


def backlog(connects: list[float], **columns: object) -> Part:
    one = Part(
        "3.3", 50, [("response_time p(95) < 0.5 s", 1.1), (RATE, 100.0)], shape="burst of 50"
    )
    one.columns = {"connect": connects, **columns}
    return one


def test_connects_of_a_second_or_three_are_an_overflowing_backlog(tmp_path: Path) -> None:
    connects = [0.0003] * 30 + [1.02] * 15 + [3.07] * 5
    rows = told(store(tmp_path / "run", backlog(connects), tables={"server": server()}))
    assert list(rows) == ["listen-backlog"]
    row = rows["listen-backlog"]
    assert "15 took about 1 s and 5 took about 3 s" in row["sentence"]
    assert "gunicorn --backlog" in row["remedy"]


def test_slow_connects_of_every_length_are_no_backlog(tmp_path: Path) -> None:
    connects = list(np.linspace(0.4, 2.9, 50))
    rows = told(store(tmp_path / "run", backlog(connects), tables={"server": server()}))
    assert "listen-backlog" not in rows
    # Nor is a slow answer over a quick connect.
    one = backlog([0.0003] * 50, service=[0.02] * 30 + [1.02] * 20)
    rows = told(store(tmp_path / "slow", one, tables={"server": server()}))
    assert list(rows) == ["waiting"]


def test_what_was_accepted_late_and_answered_with_an_error_failed_for_that(tmp_path: Path) -> None:
    one = part(30, 20, id="3.2", service=1.1)
    one.criteria = [(RATE, 33.3), ("response_time p(95) < 0.5 s", 1.1)]
    one.columns = {**one.columns, "connect": [0.0003] * 5 + [1.02] * 23 + [0.0003] * 2}
    rows = told(store(tmp_path / "run", one, tables={"server": server()}))
    assert rows["failed-requests"]["sentence"] == (
        "3.2-success-rate: 33.3 % instead of at least 90 %: 20 of 30 requests in 3.2 were "
        "answered HTTP 500."
    )
    assert rows["listen-backlog"]["criteria"] == ["3.2-response-time-p95"]
    assert "23 took about 1 s to be accepted" in rows["listen-backlog"]["sentence"]


def test_a_failure_has_the_count_that_it_has_among_the_errors(tmp_path: Path) -> None:
    bad, good = part(20, 12), part(100, 3, id="3.2")
    good.criteria = [(RATE, 97.0)]
    folder = store(tmp_path / "run", bad, good)
    said = told(folder)["failed-requests"]["sentence"]
    assert "12 of 20 requests in 3.1 (15 of 120 in 2 parts) were answered HTTP 500" in said
    assert [group.count for group in groups(Source(RunReader(folder)))] == [15]


def test_a_failure_of_every_role_is_counted(tmp_path: Path) -> None:
    one = part(16, 5)
    one.columns = {**one.columns, "role": ["follow-up"] + ["main"] * 15}
    said = told(store(tmp_path / "run", one))["failed-requests"]["sentence"]
    assert "4 of 15 requests in 3.1 (5 of 16 of every role) were answered HTTP 500" in said


def refused(count: int, failed: int) -> Part:
    one = part(count, failed, outcome="connection error", status=0.0, error="connection refused")
    nan = float("nan")
    one.columns = {**one.columns, "connected": [nan] * failed + [10.1] * (count - failed)}
    return one


def test_connects_refused_by_a_living_server_are_a_backlog(tmp_path: Path) -> None:
    rows = told(store(tmp_path / "run", refused(50, 20), tables={"server": server()}))
    assert list(rows) == ["listen-backlog"]
    assert (
        "20 were refused or reset while the same process took the others"
        in (rows["listen-backlog"]["sentence"])
    )


def test_connects_refused_by_nobody_are_no_backlog(tmp_path: Path) -> None:
    assert "listen-backlog" not in told(store(tmp_path / "unknown", refused(50, 20)))
    down = {"server": server(processes=0.0)}
    assert "listen-backlog" not in told(store(tmp_path / "down", refused(50, 20), tables=down))


# ---------------------------------------------------------------- restart, hang


def restart(at: float = 12.0, away: float = 1.5) -> dict[str, object]:
    return {
        "restarts": lambda time: (time >= at).astype(float),
        "processes": lambda time: ((time < at) | (time >= at + away)).astype(float),
        "pids": lambda time: ["4711" if t < at else "" if t < at + away else "4720" for t in time],
    }


def test_a_restart_is_told_with_its_processes_and_what_it_lost(tmp_path: Path) -> None:
    one = part(20, 10, outcome="connection error", status=0.0, error="connection refused")
    one.criteria = [
        (RATE, 50.0),
        ("server_restarts == 0", 1),
        (
            "server_memory growth < 50 MB",
            None,
            "the server ended or was restarted in this window",
        ),
    ]
    crash = (11.9, "CRITICAL", "server-error", "CRITICAL gunicorn: Worker timeout (pid:4711)")
    tables = {"server": server(**restart()), "log": log(crash)}
    rows = told(store(tmp_path / "run", one, tables=tables))
    assert list(rows) == ["restart"]
    said = rows["restart"]["sentence"]
    assert "process 4711 of the server ended at 10:00:12.0 +01:00 during 3.1" in said
    assert "and process 4720 took its place 1.50 s later" in said
    assert "requests in 3.1 were lost meanwhile" in said
    assert "Worker timeout (pid:4711)" in said
    assert said.endswith("Also affected: 3.1-server-restarts, 3.1-server-memory-growth.")


def test_what_came_while_the_server_was_away_is_lost_by_the_restart_too(tmp_path: Path) -> None:
    before = Part("3.3", 20, [("server_restarts == 0", 1)], seconds=2.5)
    after = part(20, 20, id="7.1", outcome="connection error", status=0.0, error="refused")
    after.start, after.seconds = 12.6, 1.0
    tables = {"server": server(**restart(at=12.0, away=3.0))}
    rows = told(store(tmp_path / "run", before, after, tables=tables))
    assert list(rows) == ["restart"]
    assert "20 of 20 requests in 7.1 were lost meanwhile" in rows["restart"]["sentence"]


def test_a_worker_more_is_no_restart(tmp_path: Path) -> None:
    one = part(20, 10, outcome="connection error", status=0.0, error="connection reset")
    more = server(pids=lambda time: ["4711" if t < 12 else "4711 4712" for t in time])
    assert "restart" not in told(store(tmp_path / "run", one, tables={"server": more}))
    # A restart during another part is none of this one.
    late = {"server": server(**restart(at=40.0))}
    assert "restart" not in told(store(tmp_path / "late", one, tables=late))


def test_errors_of_a_server_that_is_still_there_are_not_lost_by_its_end(tmp_path: Path) -> None:
    for name, status, rules in (
        ("own", 500.0, ["failed-requests", "restart"]),
        ("proxy", 502.0, ["restart"]),
    ):
        one = part(20, 10, status=status)
        one.criteria = [(RATE, 50.0), ("server_restarts == 0", 1)]
        folder = store(tmp_path / name, one, tables={"server": server(**restart())})
        assert list(told(folder)) == rules


def test_runserver_is_told_not_to_reload(tmp_path: Path) -> None:
    one = Part("7.1", 10, [("server_restarts == 0", 1)])
    one.tables = [database()]
    one.tables[0] = type(one.tables[0])(
        name="server",
        title="",
        columns=["pid", "command"],
        rows=[[1, "python manage.py runserver"]],
    )
    rows = told(store(tmp_path / "run", one, tables={"server": server(**restart())}))
    assert "--noreload" in rows["restart"]["remedy"]


def test_runserver_is_known_from_the_checks_where_no_step_tells(tmp_path: Path) -> None:
    one = Part("7.1", 10, [("server_restarts == 0", 1)])
    for number, (command, reloads) in enumerate(
        (
            ("python manage.py runserver 8000, and 1 below it", True),
            ("python manage.py runserver 8000 --noreload", False),
            ("gunicorn shop.wsgi, and 2 below it", False),
        )
    ):
        check = CheckResult(
            id="server-process", title="Server process", level=Level.OK, text=f"pid 77: {command}"
        )
        folder = store(
            tmp_path / str(number), one, tables={"server": server(**restart())}, checks=[check]
        )
        assert ("--noreload" in told(folder)["restart"]["remedy"]) is reloads


def hang(count: int, from_row: int, until: int) -> Part:
    outcomes = ["timeout" if from_row <= i < until else "success" for i in range(count)]
    hung = [outcome == "timeout" for outcome in outcomes]
    one = Part("4.1", count, [(RATE, 100 * (1 - sum(hung) / count))], shape="virtual users")
    one.columns = {
        "outcome": outcomes,
        "status": [0.0 if each else 201.0 for each in hung],
        "error": ["no answer within 10 s" if each else "" for each in hung],
        "service": [10.0 if each else 0.02 for each in hung],
    }
    return one


def test_a_server_that_answers_no_more_hangs(tmp_path: Path) -> None:
    rows = told(
        store(tmp_path / "run", hang(30, 12, 30), tables={"server": server(cpu_percent=0.5)})
    )
    assert list(rows) == ["hung"]
    said = rows["hung"]["sentence"]
    assert "18 requests timed out while the server's process lived on, idle at 0.5 % CPU" in said


def test_timeouts_between_answers_are_no_hang(tmp_path: Path) -> None:
    rows = told(store(tmp_path / "run", hang(30, 5, 20), tables={"server": server()}))
    assert list(rows) == ["unanswered"]
    gone = {"server": server(processes=lambda time: (time < 13).astype(float))}
    assert "hung" not in told(store(tmp_path / "gone", hang(30, 12, 30), tables=gone))


# ---------------------------------------------------------------- rate limits


def throttled(error: str, excerpt: str = "", **headers: str) -> Part:
    extracted = json.dumps({name.replace("_", "-"): value for name, value in headers.items()})
    one = part(20, 12, outcome="throttled", status=429.0, error=error, excerpt=excerpt)
    # The first eight are let through.
    one.columns = {name: [*values[12:], *values[:12]] for name, values in one.columns.items()}
    one.columns["extracted"] = [""] * 8 + [extracted if headers else ""] * 12
    return one


def test_a_rate_limit_of_the_view_says_when_to_come_again(tmp_path: Path) -> None:
    one = throttled("HTTP 429: Slow down", retry_after="3540", ratelimit_limit="10")
    row = told(store(tmp_path / "run", one))["rate-limit"]
    assert (
        "12 of 20 requests in 3.1 were answered HTTP 429: the limit is the endpoint's own"
        in (row["sentence"])
    )
    assert "Retry-After: 3540" in row["sentence"]
    assert "the first of them came after 8 other requests" in row["sentence"]
    assert "project settings do not switch it off" in row["remedy"]


def test_whose_limit_it_is_shows_in_the_answer(tmp_path: Path) -> None:
    rest = throttled("HTTP 429: Request was throttled. Expected available in 9 seconds.")
    row = told(store(tmp_path / "rest", rest))["rate-limit"]
    assert "a throttle on the view, in the words of Django REST" in row["sentence"]
    html = "<html><head><title>429 Too Many Requests</title></head><center>nginx</center>"
    proxy = throttled("HTTP 429: 429 Too Many Requests", html, retry_after="")
    row = told(store(tmp_path / "proxy", proxy))["rate-limit"]
    assert "a proxy before the application" in row["sentence"]
    provider = throttled("HTTP 429: Stripe: too many requests", retry_after="")
    row = told(store(tmp_path / "provider", provider))["rate-limit"]
    assert "without Retry-After: the payment provider's limit, passed on" in row["sentence"]
    assert "stub of the payment provider" in row["remedy"]


def test_a_run_that_kept_no_headers_blames_nobody(tmp_path: Path) -> None:
    said = told(store(tmp_path / "run", throttled("HTTP 429")))["rate-limit"]["sentence"]
    assert "were answered HTTP 429; the first of them came after 8 other requests." in said


def test_a_server_error_about_limits_is_no_rate_limit(tmp_path: Path) -> None:
    rows = told(store(tmp_path / "run", part(error="HTTP 500: limit of retries reached, 429")))
    assert list(rows) == ["failed-requests"]


# ---------------------------------------------------------------- paths


def absent(count: int, failed: int, path: str = PATH, **columns: object) -> Part:
    given = {"outcome": "client error", "status": 404.0, "error": "HTTP 404: Not Found"}
    given |= {"json_object": 0.0, **columns}
    one = part(count, failed, **given)
    one.path = path
    return one


def test_nothing_but_404_is_a_wrong_path(tmp_path: Path) -> None:
    row = told(store(tmp_path / "run", absent(20, 20)))["wrong-path"]
    assert f"were answered HTTP 404: {PATH} is not the path of this deployment" in row["sentence"]
    assert "--set case.path=" in row["remedy"]
    assert "qa-runner.toml" in row["remedy"]


def test_some_404_is_another_matter(tmp_path: Path) -> None:
    rows = told(store(tmp_path / "run", absent(20, 5, error="HTTP 404: no plan 7")))
    assert list(rows) == ["failed-requests"]


def test_a_redirect_elsewhere_is_named(tmp_path: Path) -> None:
    one = absent(9, 9, outcome="other", status=302.0, error="redirect to /login/?next=/api/")
    said = told(store(tmp_path / "run", one))["wrong-path"]["sentence"]
    assert f"redirected from {PATH} to /login/?next=/api/" in said


def test_a_redirect_to_another_address_of_the_same_path_names_it(tmp_path: Path) -> None:
    secure = f"https://shop.example{PATH}"
    one = absent(9, 9, outcome="other", status=301.0, error=f"redirect to {secure}")
    row = told(store(tmp_path / "run", one))["wrong-path"]
    assert row["remedy"] == "Give the target the URL that it leads to, https://shop.example."


def test_what_is_not_found_may_be_what_was_asked_for(tmp_path: Path) -> None:
    one = absent(9, 9, error="HTTP 404: no plan 7", json_object=1.0)
    said = told(store(tmp_path / "run", one))["wrong-path"]["sentence"]
    assert "or what it was asked for does not exist (“no plan 7”)" in said


def test_an_ad_hoc_load_has_its_path_in_its_url(tmp_path: Path) -> None:
    row = told(store(tmp_path / "run", absent(20, 20), profile=""))["wrong-path"]
    assert "it is part of the URL" in row["remedy"]


def test_a_missing_slash_redirects_or_raises_under_debug(tmp_path: Path) -> None:
    path = PATH.rstrip("/")
    redirect = absent(9, 9, path, outcome="other", status=301.0, error=f"redirect to {PATH}")
    row = told(store(tmp_path / "redirect", redirect))["missing-slash"]
    assert f"{path} lacks the slash at its end" in row["sentence"]
    assert f"--set case.path={PATH}" in row["remedy"]
    raised = f"HTTP 500: RuntimeError at {path}: You called this URL via POST, but the URL doesn't"
    raised += " end in a slash and you have APPEND_SLASH set."
    debug = absent(9, 9, path, outcome="server error", status=500.0, error=raised)
    said = told(store(tmp_path / "debug", debug))["missing-slash"]["sentence"]
    assert "HTTP 500 with an error page, as Django does under DEBUG" in said


def test_another_error_of_a_path_without_a_slash_is_another_matter(tmp_path: Path) -> None:
    path = PATH.rstrip("/")
    one = part(error=f"HTTP 500: RuntimeError at {path}: no worker")
    one.path = path
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["failed-requests"]


def test_what_is_turned_down_alike_has_its_own_remedies(tmp_path: Path) -> None:
    for rule, given in {
        "csrf": {"status": 403.0, "error": "HTTP 403: CSRF verification failed."},
        "disallowed-host": {"status": 400.0, "error": "HTTP 400: DisallowedHost at /"},
        "wrong-credential": {"status": 401.0, "error": "HTTP 401: no"},
        "untrusted-certificate": {
            "status": 0.0,
            "error": "certificate not trusted: self-signed certificate",
            "outcome": "connection error",
        },
        "unknown-host": {
            "status": 0.0,
            "error": "name not resolved",
            "outcome": "connection error",
        },
    }.items():
        rows = told(store(tmp_path / rule, part(20, 20, **{"outcome": "client error", **given})))
        assert list(rows) == [rule]
        assert rows[rule]["remedy"]
    some = part(20, 9, outcome="client error", status=403.0, error="HTTP 403: not yours")
    assert list(told(store(tmp_path / "some", some))) == ["failed-requests"]


# ---------------------------------------------------------------- answers


def test_bodies_that_say_nothing_are_told(tmp_path: Path) -> None:
    one = part(outcome="invalid", status=201.0, error="body is not JSON", excerpt="garbage")
    one.criteria = [(RATE, 40.0), ("silent_failures == 0", 12)]
    row = told(store(tmp_path / "run", one))["silent-failure"]
    assert "were answered HTTP 201 without a valid body: body is not JSON" in row["sentence"]
    assert "3.1-silent-failures" in row["sentence"]


def test_errors_that_are_no_json_and_those_not_logged(tmp_path: Path) -> None:
    one = part(json_object=0.0, excerpt="<h1>Server Error (500)</h1>")
    one.criteria = [("malformed_errors == 0", 12), ("unlogged_server_errors == 0", 12)]
    rows = told(store(tmp_path / "run", one))
    assert list(rows) == ["malformed-errors", "unlogged-errors"]
    assert (
        "12 error responses in 3.1 had no JSON object as body, but “<h1>Server Error"
        in (rows["malformed-errors"]["sentence"])
    )


def test_the_payment_provider_is_named_by_its_errors(tmp_path: Path) -> None:
    error = "HTTP 502: payment provider gave no answer"
    one = part(status=502.0, error=error)
    assert "provider-errors" in told(store(tmp_path / "run", one))
    # A payment that the provider never saw is another matter.
    other = part(error="HTTP 500: payment has no plan")
    assert list(told(store(tmp_path / "other", other))) == ["failed-requests"]


def test_readings_of_postgresql_say_who_waits(tmp_path: Path) -> None:
    time = np.arange(9.0, 22.0)
    waits = series("database", time=time, sessions_waiting=np.where(time > 11, 3.0, 0.0))
    one = Part("3.1", 20, [("response_time max < 2 s", 4.0)], service=4.0)
    rows = told(store(tmp_path / "run", one, tables={"database": waits, "server": server()}))
    assert list(rows) == ["sessions-waiting"]
    calm = series("database", time=time, sessions_waiting=np.zeros(time.size))
    rows = told(store(tmp_path / "calm", one, tables={"database": calm, "server": server()}))
    assert list(rows) == ["waiting"]


def test_a_transaction_that_stands_open_for_nothing_is_told(tmp_path: Path) -> None:
    time = np.arange(9.0, 22.0)
    one = Part("3.1", 20, [("response_time max < 2 s", 4.0)], service=4.0)

    def run(name: str, seconds: np.ndarray) -> list[str]:
        idle = series("database", time=time, longest_idle_in_transaction_seconds=seconds)
        tables = {"database": idle, "server": server()}
        return list(told(store(tmp_path / name, one, tables=tables)))

    assert run("own", np.clip(time - 12, 0, None)) == ["idle-in-transaction"]
    # Somebody's that was open before the load, and one that is soon over.
    assert run("other", time + 60) == ["waiting"]
    assert run("short", np.full(time.size, 0.2)) == ["waiting"]
