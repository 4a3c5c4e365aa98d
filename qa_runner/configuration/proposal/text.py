"""The text of a first qa-runner.toml: what is known stands there, the rest in comments."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Proposed", "configuration_text"]

_FARTHEST = os.path.join("..", "..", "..")  # noqa: PTH118 (compared with text)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the file is to say; empty text and None where nothing is known.

    ``headers`` are environment variables by header, ``variables`` those that the settings read.
    ``paths``, ``roles`` (models by role) and
    ``case`` are those of the test cases, for the comments; ``models`` what resembles the roles.
    """

    name: str
    url: str
    environment: str
    token_variable: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    project: Path | None = None
    settings: str = ""
    interpreter: Path | None = None
    variables: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, list[str]] = field(default_factory=dict)
    case: str = "CASE-1"


def configuration_text(proposed: Proposed, folder: Path) -> str:
    """The file, to be written into ``folder``."""
    sections = (
        _top(proposed),
        _target(proposed, folder),
        _paths(proposed),
        _process(proposed),
        _project(proposed, folder),
        _server(proposed, folder),
        _environment(proposed),
        _case(proposed),
    )
    return "\n".join("\n".join(lines) + "\n" for lines in sections)


def _top(proposed: Proposed) -> list[str]:
    return [
        "# What qa-runner tests, and how to reach and watch it.",
        "# Paths are relative to this file. ${NAME} stands for the environment variable NAME, so",
        "# that no secret stands here. `qa-runner check` tells whether all of it is right.",
        "",
        f"default_target = {_quoted(proposed.name)}",
        '# output = "artifacts"  # the folder for runs',
    ]


def _target(proposed: Proposed, folder: Path) -> list[str]:
    headers = ", ".join(
        f"{_quoted(name)} = {_quoted(f'${{{variable}}}')}"
        for name, variable in proposed.headers.items()
    )
    log = proposed.log
    return [
        f"[targets.{proposed.name}]",
        f"url = {_quoted(proposed.url)}",
        f"environment = {_quoted(proposed.environment)}  # local, staging, production or one below",
        '# version = "1.4.2"  # for the report; without it, the commit of the project below',
        _line("bearer_token", f"${{{proposed.token_variable or 'API_TOKEN'}}}",
              known=bool(proposed.token_variable)),
        f"headers = {{ {headers} }}" if headers else '# headers = { "X-Api-Key" = "${API_KEY}" }',
        "# verify_tls = false  # accepts any certificate",
        _line("log", _relative(log, folder) if log else "logs/server.log", known=log is not None)
        + "  # the server's log: which errors it tells of",
    ]  # fmt: skip


def _paths(proposed: Proposed) -> list[str]:
    return [
        "# Where this deployment has the paths of a test case.",
        f"[targets.{proposed.name}.paths]",
        *(f"# {_quoted(path)} = {_quoted(f'/prefix{path}')}" for path in proposed.paths),
    ]


def _process(proposed: Proposed) -> list[str]:
    return [
        "# Which process is the server, if it is not the owner of the URL's port; one of these:",
        f"# [targets.{proposed.name}.process]",
        "# port = 8001",
        '# pid_file = "server.pid"',
        '# command = "gunicorn shop.wsgi"',
    ]


def _project(proposed: Proposed, folder: Path) -> list[str]:
    known = proposed.project is not None and bool(proposed.settings)
    mark = "" if known else "# "
    interpreter = proposed.interpreter
    variables = proposed.variables or ("DATABASE_URL",)
    place = ".venv/bin/python" if interpreter is None else _relative(interpreter, folder)
    lines = [
        "# The Django project, for what happens in its database; its interpreter opens it.",
        f"{mark}[targets.{proposed.name}.project]",
        f"{mark}folder = {_quoted(_relative(proposed.project or folder, folder))}",
        f"{mark}settings = {_quoted(proposed.settings or 'shop.settings')}",
        mark + _line("interpreter", place, known=interpreter is not None or not known),
        "# environment = { " + ", ".join(map(_variable, variables)) + " }  # with which it opens",
        '# intent_field = "payment_intent_id"  # of the payment intent, in the transactions',
    ]
    if proposed.roles:
        lines += [
            "",
            "# Its models, where they are not those of the test case.",
            f"{mark}[targets.{proposed.name}.project.models]",
            *(_model(role, model, proposed.models) for role, model in proposed.roles.items()),
        ]
    return lines


def _variable(name: str) -> str:
    return f"{name} = {_quoted(f'${{{name}}}')}"


def _model(role: str, model: str, resembling: Mapping[str, list[str]]) -> str:
    best, *others = resembling.get(role, [model])
    hint = f"; or {', '.join(others)}" if others else ""
    return f"# {role} = {_quoted(best)}  # the test case has {model}{hint}"


def _server(proposed: Proposed, folder: Path) -> list[str]:
    python, project = proposed.interpreter, proposed.project
    called = "python"
    if python is not None:
        called = _relative(python, project) if project is not None else str(python)
    address = urlsplit(proposed.url).netloc
    command = f"{shlex.quote(called)} manage.py runserver {address} --noreload"
    return [
        "# With these lines qa-runner starts the server itself, and ends it after the run.",
        f"# [targets.{proposed.name}.server]",
        f"# command = {_quoted(command)}",
        f"# folder = {_quoted(_relative(project or folder, folder))}  # where it is started",
        '# ready_path = "/health/"  # answered once it is up; not the endpoint under test',
    ]


def _environment(proposed: Proposed) -> list[str]:
    mark = "# " if proposed.environment == "local" else ""
    host = urlsplit(proposed.url).hostname or ""
    named = "staging" if mark else proposed.environment
    return [
        "# What may be loaded besides this machine, and how much.",
        f"{mark}[environments.{named}]",
        f"{mark}hosts = [{_quoted('staging.example.com' if mark else host)}]",
        "# max_users = 20",
        "# max_rate = 10.0  # requests per second",
        "# error_budget = { rate = 0.1, seconds = 10, requests = 20 }",
    ]


def _case(proposed: Proposed) -> list[str]:
    return [
        "# What differs from the text of a test case, as for --set; see qa-runner show.",
        f"# [cases.{proposed.case}.parameters]",
        "# case.plan_id = 2",
        "# 3.1.requests = 8",
        '# 3.1.limit.duration = "10s"',
    ]


def _line(key: str, value: str, *, known: bool) -> str:
    return f"{'' if known else '# '}{key} = {_quoted(value)}"


def _quoted(text: str) -> str:
    """Text as TOML has it: as JSON, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _relative(path: Path, folder: Path) -> str:
    """From ``folder`` if that is not far; links are kept, and no part stands for a variable."""
    relative = os.path.relpath(path, folder)
    shown = str(path) if relative.startswith(_FARTHEST) else relative
    return shown.replace("${", "$${")
