"""What keeps a run from measuring says so in words that a rule knows: the words as they are."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from diagnosed import Part, store, told

from qa_runner.clock import Clock
from qa_runner.errors import ProbeError
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.log import LogMonitor
from qa_runner.monitors.process_rule import ProcessRule, find_process
from qa_runner.monitors.project import DjangoProject
from qa_runner.session import NO_PROJECT
from testcases.purchase_006.step_6_resources import WRONG_PROCESS

SETTINGS = """
SECRET_KEY = "-"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/no/such/folder/x"}}
"""
MODELS = {"transactions": "admin.LogEntry", "users": "auth.User", "balances": "admin.LogEntry"}


def rule_of(folder: Path, reason: str) -> str:
    """The rule that tells a reason, which must have a remedy."""
    one = Part("5.1", 0, [("query_time median < 100 ms", None, reason)])
    (row,) = told(store(folder / "run", one)).values()
    assert reason.rstrip(".") in row["sentence"]
    assert row["remedy"]
    return str(row["rule"])


def probe_error(
    folder: Path,
    settings: str = SETTINGS,
    *,
    interpreter: str = sys.executable,
    models: Mapping[str, str] = MODELS,
) -> str:
    """What the probe says of a project with these settings."""
    (folder / "wrong_settings.py").write_text(settings)
    project = DjangoProject(interpreter, "wrong_settings", (str(folder),))
    probe = DatabaseProbe(project, models, "object_id")
    with pytest.raises(ProbeError) as caught:
        probe.start(Clock(), 1, lambda *_: None)
    probe.stop()
    return str(caught.value)


@pytest.mark.parametrize("interpreter", ["/no/such/python", "/bin/ls"])
def test_a_wrong_interpreter(tmp_path: Path, interpreter: str) -> None:
    reason = probe_error(tmp_path, interpreter=interpreter)
    assert rule_of(tmp_path, reason) == "wrong-interpreter"


@pytest.mark.parametrize("settings", ["import sys; sys.exit(3)", "raise KeyError('SECRET')"])
def test_wrong_settings(tmp_path: Path, settings: str) -> None:
    assert rule_of(tmp_path, probe_error(tmp_path, settings)) == "wrong-settings"


@pytest.mark.parametrize("name", ["auth.Nobody", "auth.Group"])
def test_a_wrong_model(tmp_path: Path, name: str) -> None:
    reason = probe_error(tmp_path, models={**MODELS, "balances": name})
    assert rule_of(tmp_path, reason) == "wrong-model"


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    assert rule_of(tmp_path, probe_error(tmp_path)) == "database-unreachable"


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    monitor = LogMonitor(tmp_path / "no.log")
    monitor.start(Clock(), 1, lambda *_: None)
    monitor.stop()
    assert rule_of(tmp_path, monitor.reason) == "no-log"


@pytest.mark.parametrize("given", ["pid file", "command"])
def test_a_process_that_is_not_there(tmp_path: Path, given: str) -> None:
    rule = (
        ProcessRule(pid_file=tmp_path / "no.pid")
        if given == "pid file"
        else ProcessRule(command=f"{tmp_path} serves")
    )
    reason = find_process(rule, 1, "127.0.0.1", ()).reason
    assert rule_of(tmp_path, reason) == "wrong-process"


def test_what_needs_no_search(tmp_path: Path) -> None:
    assert rule_of(tmp_path, NO_PROJECT) == "no-project"
    assert rule_of(tmp_path / "other", WRONG_PROCESS) == "wrong-process"
