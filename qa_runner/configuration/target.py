"""A target or an environment of the configuration, ready to be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec import structs

from qa_runner.configuration.checks import check_environment, check_target
from qa_runner.configuration.conversion import convert
from qa_runner.configuration.locations import Key
from qa_runner.configuration.schema import Configuration, EnvironmentEntry, TargetEntry
from qa_runner.configuration.secret_values import entry_secrets, variable_secrets
from qa_runner.configuration.source import Source, source_of
from qa_runner.configuration.variables import filled
from qa_runner.errors import UnknownName
from qa_runner.redaction import know_secrets

__all__ = ["environment_entry", "target_entry"]


def target_entry(configuration: Configuration, name: str) -> TargetEntry:
    """The target ``name`` with its variables filled in; its secrets are masked from now on.

    Raises UnknownName if there is none, UsageError if a variable is not set or a file that it
    names is not there.
    """
    if name not in configuration.targets:
        raise UnknownName("target", name, configuration.targets)
    source, key = source_of(configuration), ("targets", name)
    entry = configuration.targets[name]
    if source.data:
        raw = source.data["targets"][name]
        know_secrets(variable_secrets(raw))
        values = filled(source, key, raw)
        entry = _in_its_folder(source, convert(source, key, values, TargetEntry))
    know_secrets(entry_secrets(entry))
    check_target(source, key, entry, configuration, final=True)
    _check_files(source, key, entry)
    return entry


def _in_its_folder(source: Source, entry: TargetEntry) -> TargetEntry:
    """With a folder for the command of the server: the project's, else that of the file."""
    server, project = entry.server, entry.project
    if server is None or server.folder is not None:
        return entry
    folder = source.absolute("") if project is None else project.folder
    return structs.replace(entry, server=structs.replace(server, folder=folder))


def environment_entry(configuration: Configuration, name: str) -> EnvironmentEntry | None:
    """What the configuration says about the environment ``name``; None if it says nothing.

    Raises UsageError if a variable is not set.
    """
    entry = configuration.environments.get(name)
    source, key = source_of(configuration), ("environments", name)
    if entry is None or not source.data:
        return entry
    values = filled(source, key, source.data["environments"][name])
    entry = convert(source, key, values, EnvironmentEntry)
    check_environment(source, key, entry, final=True)
    return entry


def _check_files(source: Source, key: Key, entry: TargetEntry) -> None:
    """What must be there before a run; a log need not: the server makes it."""
    log: Key = (*key, "log")
    _check_log(source, log, entry.log)
    project, server = entry.project, entry.server
    if project is not None:
        _check_folder(source, (*key, "project", "folder"), project.folder)
        _check_interpreter(source, (*key, "project", "interpreter"), project.interpreter)
    if server is not None:
        _check_folder(source, (*key, "server", "folder"), server.folder)
        _check_log(source, (*key, "server", "log"), server.log)


def _check_folder(source: Source, key: Key, folder: Path | None) -> None:
    if folder is not None and _kind(source, key, folder) != "a folder":
        raise source.error(key, f"{folder} is {_kind(source, key, folder)}; a folder is wanted")


def _check_interpreter(source: Source, key: Key, path: Path | None) -> None:
    if path is None:
        return
    kind = _kind(source, key, path)
    if kind == "a folder":
        raise source.error(key, f"{path} is a folder; give the interpreter, {path}/bin/python")
    if kind != "a file":
        link = ", a link to nowhere" if path.is_symlink() else ""
        raise source.error(key, f"{path} is {kind}{link}; give the project's bin/python")
    if not os.access(path, os.X_OK):
        raise source.error(key, f"{path} cannot be executed; give the project's bin/python")


def _check_log(source: Source, key: Key, path: Path | None) -> None:
    if path is None:
        return
    kind = _kind(source, key, path)
    if kind == "a folder":
        raise source.error(key, f"{path} is a folder; give the log file in it")
    if kind not in ("a file", "not there"):
        raise source.error(key, f"{path} is {kind}; give the file that the server writes lines to")
    if _kind(source, key, path.parent) != "a folder":
        raise source.error(key, f"there is no folder {path.parent}, so {path.name} cannot be in it")


def _kind(source: Source, key: Key, path: Path) -> str:
    """What is there."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "not there"
    except OSError as error:
        raise source.error(key, f"{path} cannot be looked at: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "no regular file"
