"""What could not be measured, by its reason: a row for each reason that has a remedy of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from qa_runner.criteria import CriterionResult
from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.verdict import Verdict

__all__ = ["UNMEASURED", "Unmeasured", "other_reasons"]

_LITTLE = 0.05
"""Any rule that knows the cause of a reason explains more than the reason itself."""


@dataclass(frozen=True)
class Unmeasured:
    """A rule: criteria that are INCONCLUSIVE for a reason that has ``pattern``."""

    rule: str
    pattern: re.Pattern[str]
    remedy: str

    def __call__(self, evidence: Evidence) -> list[Finding]:
        """One finding for each text of such a reason."""
        return [
            Finding(
                rule=self.rule,
                cause=reason.rstrip("."),
                remedy=self.remedy,
                explains={result.id: 1.0 for result in results},
            )
            for reason, results in _by_reason(evidence).items()
            if self.pattern.search(reason)
        ]


def other_reasons(evidence: Evidence) -> list[Finding]:
    """Every reason as it is, for criteria that no other rule explains."""
    return [
        Finding(
            rule="unmeasured",
            cause=reason.rstrip(".") or "no reason was stored",
            explains={result.id: _LITTLE for result in results},
        )
        for reason, results in _by_reason(evidence).items()
    ]


def _by_reason(evidence: Evidence) -> dict[str, list[CriterionResult]]:
    found: dict[str, list[CriterionResult]] = {}
    for result in evidence.results(Verdict.INCONCLUSIVE):
        found.setdefault(result.reason, []).append(result)
    return found


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


# A permission that the project or its database lacks is its own matter: those come first.
UNMEASURED: tuple[Callable[[Evidence], list[Finding]], ...] = (
    Unmeasured(
        "wrong-interpreter",
        _words(
            "interpreter .{0,300} cannot be run",
            "Django cannot be imported by",
            "is older than .{0,60} the oldest",
            "No module named 'django'",
        ),
        "Set interpreter in the target's project in qa-runner.toml to the Python that the server "
        "runs with, such as .venv/bin/python of the project.",
    ),
    Unmeasured(
        "wrong-settings",
        _words(
            r"settings \S+ cannot be imported",
            r"apps of \S+ cannot be loaded",
            "the project exits when it is imported",
            "ImproperlyConfigured",
            "while it opened",
        ),
        "Set settings, folder and environment of the target's project in qa-runner.toml as the "
        "server has them (DJANGO_SETTINGS_MODULE, and the variables that the settings read).",
    ),
    Unmeasured(
        "wrong-model",
        _words(
            "there is no model",
            "no model is given",
            r"\) has no (?:e-mail )?(?:field|relation)",
            "has several relations",
            "is no counting number",
        ),
        "Name the models of this project, and the relation where there are several, in models of "
        "the target's project in qa-runner.toml.",
    ),
    Unmeasured(
        "database-unreachable",
        _words(
            "the database (?:answers|cannot be opened)",
            "OperationalError",
            "there is no database file",
            "the database file .{1,200} (?:is gone|was replaced)",
        ),
        "Check with the same settings and environment as the server's that manage.py check "
        "--database default succeeds, and that it is migrated.",
    ),
    Unmeasured(
        "probe-lost",
        _words("database probe (?:did not answer|ended|was ended|gave an answer|does not run)"),
        "Look for what the project does when it is imported, and for a lock or a long statement "
        "in the database at that time.",
    ),
    Unmeasured(
        "missing-permission",
        _words(
            "permission refused",
            "permission denied",
            "not permitted",
            "another user",
            "no process of this user listens",
        ),
        "Run qa-runner as the user that the server runs as, or with sudo.",
    ),
    Unmeasured(
        "no-project",
        _words("database is not known"),
        "Name the target's Django project (folder, settings, interpreter) in qa-runner.toml; "
        "qa-runner init finds most of it.",
    ),
    Unmeasured(
        "wrong-process",
        _words(
            "another process than the monitored one",
            "runs on another machine",
            "no process (?:owns|listens)",
            "no server process",
            "no process of this user has",
            "several processes have",
            "process rule",
            "pid file",
            "in a container",
        ),
        "Say which process is the server with process in the target's entry of qa-runner.toml "
        "(port, pid, pid_file or command), and run qa-runner on the machine of the server.",
    ),
    Unmeasured(
        "no-log",
        _words("server log", "server's log"),
        "Give the path of the server's log as log in the target's entry of qa-runner.toml, "
        "readable for this user.",
    ),
)
"""The rules, in order."""
