"""Finding qa-runner.toml and reading it."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from qa_runner.configuration.checks import check_configuration
from qa_runner.configuration.conversion import convert
from qa_runner.configuration.locations import Key, key_lines
from qa_runner.configuration.schema import Configuration
from qa_runner.configuration.source import FileConfiguration, Source
from qa_runner.configuration.variables import filled
from qa_runner.errors import UsageError

__all__ = ["NAME", "load_configuration", "parse_configuration"]

NAME = "qa-runner.toml"

_GENERAL = ("default_target", "output")
_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)\Z")


def load_configuration(path: Path | None, folder: Path) -> Configuration:
    """The configuration in ``path``, or else in qa-runner.toml of ``folder`` or one above it.

    The whole file is checked; variables are filled in when a target is taken from it
    (:func:`qa_runner.configuration.target.target_entry`), so that the token of another is not
    needed. Without a file it is empty. Raises UsageError, in one line, for a file that cannot be
    read or has a mistake.
    """
    if path is None:
        path = _find(folder)
        if path is None:
            return Configuration()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror}") from None
    return parse_configuration(data, path)


def parse_configuration(data: bytes, path: Path) -> FileConfiguration:
    """The configuration in the bytes of the file ``path``. Raises UsageError for a mistake."""
    source = Source(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source.shown}:{line}: is not UTF-8; save the file as UTF-8") from None
    try:
        values = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; so is that of a number without end
        raise _syntax_error(source, text, str(error)) from None
    except RecursionError:
        raise UsageError(f"{source.shown}: is nested too deeply") from None
    lines = key_lines(text)
    source = Source(path, values, lines)
    values = _with_flat_parameters(source, lines)
    # These are of no target: they are used whatever is asked for.
    values |= filled(source, (), {name: values[name] for name in _GENERAL if name in values})
    source = Source(path, values, lines)
    read = convert(source, (), values, Configuration)
    check_configuration(source, read)
    return FileConfiguration(**msgspec.structs.asdict(read), source=source)


def _find(folder: Path) -> Path | None:
    for above in (folder, *folder.parents):
        path = above / NAME
        try:
            found = path.stat()
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            _check_owner(path, found.st_uid)
            return path
    return None


def _check_owner(path: Path, owner: int) -> None:
    """A file that somebody else put above this folder must not decide what is run."""
    mine = os.geteuid()
    if mine != 0 and owner not in (mine, 0):
        raise UsageError(
            f"{path} belongs to another user, and may name commands to run; "
            f"if you trust it: --config {path}"
        )


def _syntax_error(source: Source, text: str, message: str) -> UsageError:
    """Of the parser's message, with its line in front."""
    match = _POSITION.search(message)
    line = match["line"] if match else None
    last = len(text.splitlines()) or 1
    what = _POSITION.sub("", message)
    return UsageError(f"{source.shown}:{line or last}: no valid TOML: {what}")


def _with_flat_parameters(source: Source, lines: dict[Key, int]) -> dict[str, Any]:
    """The data with ``3.1.requests = 8``, which TOML reads as tables, as ``"3.1.requests" = 8``.

    Lists of numbers become text, as ``--set`` takes them: ``[1, 2, 5]`` is "1,2,5".
    """
    values = dict(source.data)
    cases = values.get("cases")
    if not isinstance(cases, dict):
        return values
    values["cases"] = {}
    for name, case in cases.items():
        values["cases"][name] = case
        if not (isinstance(case, dict) and isinstance(case.get("parameters"), dict)):
            continue
        flat: dict[str, Any] = {}
        for key, value in _leaves(case["parameters"]):
            parameter = ".".join(key)
            where: Key = ("cases", name, "parameters")
            if parameter in flat:
                raise source.error((*where, *key), "is given twice")
            lines.setdefault((*where, parameter), lines[*where, *key])
            flat[parameter] = _joined(value)
        values["cases"][name] = {**case, "parameters": flat}
    return values


def _leaves(table: dict[str, Any]) -> Iterator[tuple[Key, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            for key, held in _leaves(value):
                yield (name, *key), held
        else:
            yield (name,), value


def _joined(value: Any) -> Any:
    numbers = isinstance(value, list) and all(type(item) in (int, float) for item in value)
    return ",".join(map(str, value)) if numbers and value else value
