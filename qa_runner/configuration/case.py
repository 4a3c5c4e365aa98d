"""What the configuration sets in a test case."""

from __future__ import annotations

from collections.abc import Collection

from qa_runner.assignment import Assignment, from_file
from qa_runner.configuration.locations import Key
from qa_runner.configuration.schema import Configuration
from qa_runner.configuration.source import source_of
from qa_runner.configuration.variables import filled

__all__ = ["case_assignments", "check_case_names", "check_paths", "check_roles"]


def case_assignments(configuration: Configuration, case: str) -> tuple[Assignment, ...]:
    """The parameters and limits of ``case`` (its id, in any case), in the file's order.

    Raises UsageError if one does not parse or names a variable that is not set.
    """
    source = source_of(configuration)
    found = []
    for name, entry in configuration.cases.items():
        if name.casefold() != case.casefold():
            continue
        for parameter, value in entry.parameters.items():
            key: Key = ("cases", name, "parameters", parameter)
            text = filled(source, key, value)
            found.append(from_file(f"{parameter}={text}", source.where(key)))
    return tuple(found)


def check_case_names(configuration: Configuration, known: Collection[str]) -> None:
    """Raise UsageError for a case that is not among the ``known`` ids."""
    folded = {name.casefold() for name in known}
    for name in configuration.cases:
        if name.casefold() not in folded:
            raise source_of(configuration).unknown(("cases", name), "unknown test case", known)


def check_roles(configuration: Configuration, target: str, known: Collection[str]) -> None:
    """Raise UsageError for a model of ``target`` whose role no test case has."""
    entry = configuration.targets[target]
    for role in entry.project.models if entry.project is not None else ():
        if role not in known:
            key = ("targets", target, "project", "models", role)
            raise source_of(configuration).unknown(key, "unknown role", known)


def check_paths(configuration: Configuration, target: str, known: Collection[str]) -> None:
    """Raise UsageError for a path of ``target`` that no test case has: it would replace nothing."""
    for path in configuration.targets[target].paths:
        if path not in known:
            key = ("targets", target, "paths", path)
            what = "no test case asks for this path"
            raise source_of(configuration).unknown(key, what, known)
