"""What the values of qa-runner.toml must be beyond their types; nothing outside it is looked at."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from qa_runner.configuration.locations import Key
from qa_runner.configuration.schema import Configuration, EnvironmentEntry, TargetEntry
from qa_runner.configuration.source import Source, dotted
from qa_runner.configuration.variables import is_open

__all__ = [
    "ENVIRONMENTS",
    "RESERVED",
    "check_configuration",
    "check_environment",
    "check_target",
    "header_name_problem",
    "module_problem",
    "url_problem",
]

ENVIRONMENTS = ("local", "staging", "production")
"""Those that a target may name without a table of their own in the file."""

RESERVED = ("demo", "url")
"""What a run calls the embedded target, and one that was given by its address."""

_HIGHEST_PORT = 65535
_HIGHEST_PID = 2**31 - 1
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_MODEL = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*\Z")
_HOST = re.compile(r"[^\s/@:]+\Z|[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*\Z")
_WORD = re.compile(r"(?s).*\S")
_NO_MODEL = 'must be app and model: "billing.Purchase"'


def check_configuration(source: Source, configuration: Configuration) -> None:
    """Check the whole file as it was read, without the variables that its texts may name.

    Raises UsageError with key, file and line.
    """
    targets = configuration.targets
    for name in targets:
        if name in RESERVED or "://" in name or not name:
            what = "is the embedded target" if name == "demo" else "cannot name a target"
            raise source.error(("targets", name), f"'{name}' {what}; choose another name")
    if configuration.default_target not in ("demo", *targets):
        valid = ["demo", *targets]
        name = configuration.default_target
        raise source.unknown(("default_target",), "unknown target", valid, value=name)
    for name, entry in targets.items():
        check_target(source, ("targets", name), entry, configuration)
    for name, environment in configuration.environments.items():
        check_environment(source, ("environments", name), environment)
    for name, case in configuration.cases.items():
        for parameter in case.parameters:
            key: Key = ("cases", name, "parameters", parameter)
            if "." not in parameter:
                raise source.error(
                    key, 'must name its part: "3.1.requests", "3.1.limit.duration", "case.plan_id"'
                )


def check_target(
    source: Source,
    key: Key,
    entry: TargetEntry,
    configuration: Configuration,
    *,
    final: bool = False,
) -> None:
    """Check a target; texts that name variables only when these are filled in, ``final``."""
    check = _Check(source, key, final=final)
    check.text(("url",), entry.url, url_problem)
    names = list(dict.fromkeys([*ENVIRONMENTS, *configuration.environments]))
    if entry.environment not in names and (final or not is_open(entry.environment)):
        where = (*key, "environment")
        raise source.unknown(where, "unknown environment", names, value=entry.environment)
    for path, other in entry.paths.items():
        check.text(("paths", path), path, _path_problem)
        check.text(("paths", path), other, _path_problem)
    for name, value in entry.headers.items():
        check.text(("headers", name), name, header_name_problem)
        check.text(("headers", name), value, _header_problem)
    check.text(("bearer_token",), entry.bearer_token, _header_problem)
    if entry.bearer_token and "authorization" in map(str.casefold, entry.headers):
        raise source.error((*key, "bearer_token"), "excludes the header Authorization; keep one")
    _check_process(source, key, check, entry)
    if entry.project is not None:
        project = entry.project
        check.text(("project", "settings"), project.settings, module_problem)
        check.variables(("project", "environment"), project.environment)
        for role, model in project.models.items():
            check.form(("project", "models", role), model, _MODEL, _NO_MODEL)
    if entry.server is not None:
        server = entry.server
        check.form(("server", "command"), server.command, _WORD, "is empty")
        check.variables(("server", "environment"), server.environment)
        if server.ready_path:
            check.text(("server", "ready_path"), server.ready_path, _path_problem)
        check.positive(("server", "ready_seconds"), server.ready_seconds)
        check.positive(("server", "stop_seconds"), server.stop_seconds)


def check_environment(
    source: Source, key: Key, entry: EnvironmentEntry, *, final: bool = False
) -> None:
    """Check an environment; ``final`` as for a target."""
    check = _Check(source, key, final=final)
    for at, host in enumerate(entry.hosts):
        check.form(("hosts", str(at)), host, _HOST, "must be a host name alone, without http://")
    for name in ("max_users", "max_rate", "max_requests"):
        value = getattr(entry, name)
        if value is not None:
            check.positive((name,), value)
    budget = entry.error_budget
    if budget is not None:
        if not 0 <= budget.rate <= 1:
            raise source.error((*key, "error_budget", "rate"), "must be from 0 to 1: 0.1 is 10 %")
        check.positive(("error_budget", "seconds"), budget.seconds)
        check.positive(("error_budget", "requests"), budget.requests)


class _Check:
    """Checks of single values below one key; each raises UsageError."""

    def __init__(self, source: Source, key: Key, *, final: bool) -> None:
        self._source = source
        self._key = key
        self._final = final

    def text(self, name: Key, value: str, problem: Callable[[str], str]) -> None:
        found = problem(value) if self._final or not is_open(value) else ""
        if found:
            raise self._source.error((*self._key, *name), found)

    def form(self, name: Key, value: str, form: re.Pattern[str], otherwise: str) -> None:
        self.text(name, value, lambda text: "" if form.match(text) else otherwise)

    def positive(self, name: Key, value: float, most: float = math.inf) -> None:
        if not 0 < value <= most:
            bound = f", and at most {most}" if most < math.inf else ""
            raise self._source.error((*self._key, *name), f"must be above 0{bound}")

    def variables(self, name: Key, environment: Mapping[str, str]) -> None:
        for variable, value in environment.items():
            key = (*name, variable)
            self.form(key, variable, _VARIABLE, "is no name of an environment variable")
            self.text(key, value, lambda text: "holds a NUL character" if "\0" in text else "")

    def one_of(self, name: Key, values: Mapping[str, Any]) -> None:
        given = [option for option, value in values.items() if value is not None]
        if len(given) > 1:
            key = (*self._key, *name, given[1])
            raise self._source.error(key, f"excludes {dotted((*name, given[0]))}; keep one of them")


def _check_process(source: Source, key: Key, check: _Check, entry: TargetEntry) -> None:
    process = entry.process
    names = ("port", "pid", "pid_file", "command")
    check.one_of(("process",), {name: getattr(process, name) for name in names})
    if process.port is not None:
        check.positive(("process", "port"), process.port, _HIGHEST_PORT)
    if process.pid is not None:
        check.positive(("process", "pid"), process.pid, _HIGHEST_PID)
        if entry.server is not None:
            raise source.error(
                (*key, "process", "pid"), "cannot be known of a server that the run starts itself"
            )
    if process.command is not None:
        check.form(("process", "command"), process.command, _WORD, "is empty")


def url_problem(url: str) -> str:
    """What is wrong with the root address of an API; the URL is not repeated."""
    if any(not character.isprintable() or character.isspace() for character in url):
        return "contains spaces or control characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not valid; expected something like http://127.0.0.1:8000"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not parts.hostname:
        return "names no host; expected something like http://127.0.0.1:8000"
    unwanted = {
        "must not contain user or password; use headers or bearer_token": "@" in parts.netloc,
        "must not contain ? or #": bool(parts.query or parts.fragment),
        "names port 0": port == 0,
    }
    return next((problem for problem, found in unwanted.items() if found), "")


def module_problem(name: str) -> str:
    """What is wrong with the name of a settings module."""
    return "" if _MODULE.match(name) else 'is no module; expected something like "shop.settings"'


def header_name_problem(name: str) -> str:
    """What is wrong with the name of a header."""
    return "" if _HEADER.match(name) else "is no name of a header"


def _path_problem(path: str) -> str:
    if not path.startswith("/") or path.startswith("//"):
        return "paths begin with one /; the host stands in url"
    spoilt = any(not character.isprintable() or character == " " for character in path)
    return "contains spaces or control characters" if spoilt else ""


def _header_problem(value: str) -> str:
    return "contains a line break or a control character" if _CONTROL.search(value) else ""
