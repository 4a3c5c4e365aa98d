"""From options and from what is on this machine to a first qa-runner.toml."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from qa_runner.configuration.checks import (
    RESERVED,
    header_name_problem,
    module_problem,
    url_problem,
)
from qa_runner.configuration.proposal.finding import Finding
from qa_runner.configuration.proposal.interpreter import find_interpreter
from qa_runner.configuration.proposal.models import resembling_models
from qa_runner.configuration.proposal.project import find_project, settings_of
from qa_runner.configuration.proposal.server import RunningServer, running_servers
from qa_runner.configuration.proposal.text import Proposed, configuration_text
from qa_runner.configuration.proposal.variables import settings_variables, variable_findings
from qa_runner.configuration.reading import parse_configuration
from qa_runner.errors import UsageError

__all__ = ["Proposal", "ProposalOptions", "propose"]

_URL = "http://127.0.0.1:8000"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """What the user says; empty where it is to be found. ``headers`` read NAME=VARIABLE.

    ``paths``, ``roles`` and ``case`` are those of the test cases that there are, for comments.
    """

    url: str = ""
    project: Path | None = None
    settings: str = ""
    interpreter: Path | None = None
    log: Path | None = None
    token_variable: str = ""
    headers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    case: str = "CASE-1"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file's text, the name of its target, and what it rests on."""

    target: str
    text: str
    findings: tuple[Finding, ...]


def propose(
    options: ProposalOptions, file: Path, start: Path, environment: Mapping[str, str]
) -> Proposal:
    """A configuration to be written to ``file``; it is looked for from ``start``, an absolute path.

    Nothing of the project is imported or run, and nothing is sent. Raises UsageError for an
    option that cannot be right, or that is needed to choose between several projects.
    """
    headers = _checked(options)
    project = _project(options, start)
    folder = Path(project.value) if project.value else None
    running = [] if folder is None else running_servers(folder)
    url = _url(options, running)
    server = _serving(url.value, running)
    settings = _settings(options, server, folder, environment)
    interpreter = _interpreter(options, server, folder, environment)
    log = _log(options, server)
    guess = _environment(url.value)
    name = _name(folder)
    models = {} if folder is None else resembling_models(folder, options.roles)
    variables = [] if folder is None else settings_variables(folder, settings.value)
    text = configuration_text(
        Proposed(
            name=name,
            url=url.value,
            environment=guess.value,
            token_variable=options.token_variable,
            headers=headers,
            log=Path(log.value) if log.value else None,
            project=folder,
            settings=settings.value,
            interpreter=Path(interpreter.value) if interpreter.value else None,
            variables=tuple(variables),
            paths=options.paths,
            roles=options.roles,
            models=models,
            case=options.case,
        ),
        file.parent,
    )
    parse_configuration(text.encode(), file)  # what is handed out can be read
    findings = [url, guess, project, settings, interpreter, log, *_model_findings(models)]
    findings += _unset(options, headers, environment)
    if server is not None:
        findings += variable_findings(variables, server.environment, environment)
    return Proposal(name, text, tuple(findings))


def _checked(options: ProposalOptions) -> dict[str, str]:
    """The headers by name, once all options make sense."""
    if options.url and (problem := url_problem(options.url)):
        raise UsageError(f"--url {problem}")
    if options.settings and (problem := module_problem(options.settings)):
        raise UsageError(f"--settings {problem}")
    if options.token_variable and not _VARIABLE.match(options.token_variable):
        raise UsageError(
            "--token-env takes the name of an environment variable that holds the token, "
            "for example SHOP_TOKEN, not the token itself"
        )
    headers = {}
    for text in options.headers:
        name, _, variable = text.partition("=")
        if header_name_problem(name) or not _VARIABLE.match(variable):
            raise UsageError(
                "--header-env reads NAME=VARIABLE, a header and the environment variable that "
                "holds its value: X-Api-Key=SHOP_KEY"
            )
        headers[name] = variable
    interpreter, log = options.interpreter, options.log
    if interpreter is not None and (interpreter.is_dir() or not os.access(interpreter, os.X_OK)):
        raise UsageError(
            f"--interpreter {interpreter} cannot be executed; give the project's bin/python"
        )
    if log is not None and (log.is_dir() or not log.parent.is_dir()):
        raise UsageError(f"--log {log} is no file in a folder that there is")
    return headers


def _project(options: ProposalOptions, start: Path) -> Finding:
    given = options.project
    if given is None:
        found = find_project(start)
        if found is None:
            return Finding(
                "project", "", "missing", "no manage.py here, above or below; --project says where"
            )
        return Finding("project", str(found), "found", "manage.py")
    folder = given.parent if given.name == "manage.py" else given
    if not folder.is_dir():
        raise UsageError(f"--project {given} is no folder; give the one that holds manage.py")
    if not (folder / "manage.py").is_file() and not options.settings:
        raise UsageError(f"--project {given} holds no manage.py; name its settings: --settings")
    return Finding("project", str(_absolute(folder)), "given")


def _url(options: ProposalOptions, running: list[RunningServer]) -> Finding:
    if options.url:
        return Finding("url", options.url.rstrip("/"), "given")
    if not running:
        return Finding("url", _URL, "guessed", "no server of the project runs; --url says where")
    first, *others = running
    note = f"listens, pid {first.pid}"
    if not others:
        return Finding("url", first.url, "found", note)
    listed = ", ".join(server.url for server in others)
    return Finding("url", first.url, "guessed", f"{note}; so do {listed}: --url chooses")


def _serving(url: str, running: list[RunningServer]) -> RunningServer | None:
    port = urlsplit(url).port
    return next((server for server in running if urlsplit(server.url).port == port), None)


def _settings(
    options: ProposalOptions,
    server: RunningServer | None,
    project: Path | None,
    environment: Mapping[str, str],
) -> Finding:
    if options.settings:
        return Finding("settings", options.settings, "given")
    if server is not None and server.settings:
        return Finding("settings", server.settings, "found", "the running server's")
    if project is not None and (named := settings_of(project)):
        return Finding("settings", named, "found", "manage.py")
    if active := environment.get("DJANGO_SETTINGS_MODULE", ""):
        return Finding("settings", active, "guessed", "DJANGO_SETTINGS_MODULE of this shell")
    return Finding("settings", "", "missing", "--settings names the module: shop.settings")


def _interpreter(
    options: ProposalOptions,
    server: RunningServer | None,
    project: Path | None,
    environment: Mapping[str, str],
) -> Finding:
    if options.interpreter is not None:
        return Finding("interpreter", str(_absolute(options.interpreter)), "given")
    if server is not None and server.interpreter is not None:
        return Finding("interpreter", str(server.interpreter), "found", "the running server's")
    if project is None:
        return Finding("interpreter", "", "missing", "--interpreter says which")
    return find_interpreter(project, environment)


def _log(options: ProposalOptions, server: RunningServer | None) -> Finding:
    if options.log is not None:
        return Finding("log", str(_absolute(options.log)), "given")
    if server is not None and server.log is not None:
        return Finding("log", str(server.log), "found", "open in the running server")
    return Finding("log", "", "missing", "--log says where the server's log is")


def _environment(url: str) -> Finding:
    host = urlsplit(url).hostname or ""
    local = host == "localhost"
    if not local:
        try:
            local = ipaddress.ip_address(host).is_loopback
        except ValueError:
            local = False
    if local:
        return Finding("environment", "local", "found", "the address is of this machine")
    return Finding("environment", "staging", "guessed", "the address is of another machine")


def _name(project: Path | None) -> str:
    """A target's name after the project's folder, as TOML takes it without quotes."""
    words = re.sub(r"[^a-z0-9]+", "-", project.name.casefold()).strip("-") if project else ""
    return "local" if not words or words in RESERVED else words


def _model_findings(models: Mapping[str, list[str]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(role, names[0], "guessed", "by its name; a comment in the file")
        for role, names in models.items()
    )


def _unset(
    options: ProposalOptions, headers: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Variables that the file names and this shell does not have."""
    named = [*([options.token_variable] if options.token_variable else []), *headers.values()]
    return tuple(
        Finding(name, "", "missing", f"not set in this shell; before a run: export {name}=...")
        for name in dict.fromkeys(named)
        if not environment.get(name)
    )


def _absolute(path: Path) -> Path:
    """Without following links: the interpreter of a virtual environment is one."""
    return Path(os.path.normpath(path.absolute()))
