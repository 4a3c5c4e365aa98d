"""What is told of a project that cannot be opened, or only in part."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from qa_runner.check_result import CheckResult, Level
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.server_log import SERVER_LOG
from qa_runner.checks.server_process import SERVER_PROCESS
from qa_runner.monitors.process_facts import ProcessFacts
from qa_runner.session import Session
from qa_runner.targets.url import url_target

Check = Callable[..., dict[str, CheckResult]]
Answers = dict[str, list[tuple[int, dict[str, str], bytes]]]

LIVE = "sk_live_" + "1234567890abcdef"
APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin"]
SETTINGS = f"""
SECRET_KEY = "-"
DEBUG = True
INSTALLED_APPS = {APPS}
STRIPE_KEY = "{LIVE}"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "/no/such/folder/x"}}}}
"""
MODELS = """
intent_field = "object_id"
[targets.shop.project.models]
transactions = "admin.LogEntry"
users = "auth.User"
balances = "admin.LogEntry"
"""


@pytest.fixture
def checked(
    check: Check, small_server: str, answers: Answers, tmp_path: Path
) -> Callable[..., dict[str, CheckResult]]:
    """Check a target whose project has these settings; the findings by id."""
    ids = ("success", "transaction_id", "payment_intent_id", "client_secret")
    answers["/buy/"] = [(201, {}, json.dumps(dict.fromkeys(ids, 1)).encode())]

    def run(settings: str, more: str = "") -> dict[str, CheckResult]:
        (tmp_path / "of_the_test.py").write_text(settings, "utf-8")
        return check(
            f"""
[targets.shop]
url = "{small_server}"
[targets.shop.paths]
"/finances/api/purchase/initiate/" = "/buy/"
[targets.shop.project]
folder = "{tmp_path}"
settings = "of_the_test"
interpreter = "{sys.executable}"
{more}
"""
        )

    return run


@pytest.mark.parametrize(
    ("settings", "more", "said", "remedy"),
    [
        (
            SETTINGS,
            "",
            "there is no model finances.PurchaseTransaction (transactions)",
            'as transactions = "app.Model" in [targets.shop.project.models]',
        ),
        (
            SETTINGS,
            MODELS.replace("object_id", "intent"),
            "has no field intent for the payment intent",
            "as intent_field in [targets.shop.project]",
        ),
        (SETTINGS, MODELS, "there is no database file /no/such/folder/x", ""),
        (
            SETTINGS.replace("django.contrib.admin", "no_such_app"),
            "",
            "the apps of of_the_test cannot be loaded",
            "try manage.py check with interpreter, settings and environment of [targets.shop.",
        ),
    ],
)
def test_a_live_key_stops_the_run_whatever_else_cannot_be_opened(
    checked: Check, settings: str, more: str, said: str, remedy: str
) -> None:
    found = checked(settings, more)
    assert said in found["database-probe"].text
    assert remedy in found["database-probe"].remedy
    assert found["payment-keys"].level is Level.FAILURE
    assert "STRIPE_KEY" in found["payment-keys"].text
    assert "not sent" in found["request"].text
    assert "DEBUG is on" in found["development"].text
    assert found["observers"].level is Level.OK
    assert LIVE not in json.dumps(msgspec.to_builtins(found))


def test_settings_that_cannot_be_read_are_warned_of(checked: Check) -> None:
    found = checked("import sys\nsys.exit(3)\n")
    assert "the project exits when it is imported" in found["database-probe"].text
    assert "try manage.py check" in found["database-probe"].remedy
    assert "DEBUG is not known" in found["development"].text
    assert found["payment-keys"].level is Level.WARNING
    assert "the settings of the target's project could not be read" in found["payment-keys"].text
    assert "[targets.shop.project]" in found["payment-keys"].remedy


def test_settings_that_are_not_there_are_to_be_corrected(checked: Check) -> None:
    found = checked("raise KeyError('SITE_KEY')\n")
    assert "settings of_the_test cannot be imported" in found["database-probe"].text
    assert "correct settings, folder or env" in found["database-probe"].remedy
    assert found["payment-keys"].level is Level.WARNING


def test_a_project_that_hangs_is_given_up_early(checked: Check) -> None:
    found = checked("import time\ntime.sleep(60)\n")
    assert "did not answer within 5 s while it opened of_the_test" in found["database-probe"].text
    assert "a run waits for 20 s" in found["database-probe"].remedy
    assert found["payment-keys"].level is Level.WARNING


def test_a_log_that_is_a_pipe_is_not_opened(
    session: Session, small_server: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "log")
    target = replace(url_target(small_server), log_path=tmp_path / "log")
    finding = SERVER_LOG.run(CheckedTarget(target, session, lambda _rows: None))
    assert finding is not None
    assert finding.level is Level.WARNING
    assert finding.text == "log is no regular file, so that it cannot be followed"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("./.venv/bin/python manage.py runserver", "python manage.py runserver"),
        (".venv/bin/python -m gunicorn", "python -m gunicorn"),
        (
            "/srv/shop/bin/gunicorn --bind=unix:/run/shop/web.sock /srv/shop/wsgi:app .",
            "gunicorn --bind=unix:web.sock wsgi:app .",
        ),
        ("python manage.py runserver 127.0.0.1:8000", "python manage.py runserver 127.0.0.1:8000"),
    ],
)
def test_commands_are_shown_without_folders(
    session: Session,
    small_server: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    shown: str,
) -> None:
    facts = ProcessFacts("server", 77, command, "", rss_bytes=1, threads=1, open_files=1)
    monkeypatch.setattr(CheckedTarget, "processes", lambda _checked: (facts,))
    target = url_target(small_server)
    finding = SERVER_PROCESS.run(CheckedTarget(target, session, lambda _rows: None))
    assert finding is not None
    assert finding.text == f"pid 77: {shown}"
