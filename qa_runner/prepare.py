"""From the options of a run to the case as it will be executed, and the target that is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa_runner import discovery
from qa_runner.assignment import from_file
from qa_runner.configuration.case import (
    case_assignments,
    check_case_names,
    check_paths,
    check_roles,
)
from qa_runner.configuration.schema import Configuration, TargetEntry
from qa_runner.configuration.target import target_entry
from qa_runner.configure import ConfiguredCase, configure, select
from qa_runner.definition import CaseDefinition
from qa_runner.errors import UnknownName, UsageError
from qa_runner.result import RunResult
from qa_runner.settings import RunSettings
from qa_runner.testcase import PROFILES

__all__ = ["Prepared", "prepare", "prepare_case", "prepare_rerun"]

_DEMO = "demo"
_URL = "a URL such as http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case with all its values, and the configured target; None for the demo and a URL.

    The entry holds secrets: it is never stored.
    """

    case: ConfiguredCase
    entry: TargetEntry | None


def prepare(settings: RunSettings) -> Prepared:
    """What ``settings`` ask for; nothing is sent or started.

    Raises UsageError (UnknownName) for a case, a target or a value that there is not.
    """
    definition = _find(settings)
    entry = _entry(settings.configuration, settings.target, settings.faults)
    return Prepared(_configured(settings, definition, {} if entry is None else entry.paths), entry)


def prepare_case(settings: RunSettings) -> ConfiguredCase:
    """The case alone, where the target is not going to be used: its variables need no values."""
    definition = _find(settings)
    target = settings.configuration.targets.get(settings.target)
    if target is None:
        _entry(settings.configuration, settings.target, ())
    return _configured(settings, definition, {} if target is None else target.paths)


def prepare_rerun(run: RunResult, number: int, configuration: Configuration) -> Prepared:
    """What a new attempt of step ``number`` of ``run`` takes.

    Parameters and limits are those of the run; its target, by name, is that of the configuration.
    Raises UsageError (UnknownName) if there is no such step or target any more.
    """
    definition = discovery.find(run.test_id)
    numbers = [step.number for step in definition.steps]
    if number not in numbers:
        raise UnknownName("step", str(number), map(str, numbers))
    name = str(run.settings.get("target", run.target.name))
    entry = _entry(configuration, name, run.target.faults)
    if entry is not None and entry.url != run.settings.get("url", entry.url):
        raise UsageError(
            f"target {name} is at {entry.url} now, and was at {run.settings['url']} in this run; "
            "start a new run"
        )
    case = configure(
        definition,
        profile=run.profile,
        steps=(),
        settings=run.overrides,
        configured=[from_file(text, "the run's configuration") for text in run.configured],
        paths={} if entry is None else entry.paths,
    )
    return Prepared(select(case, number), entry)


def _entry(configuration: Configuration, name: str, faults: Sequence[str]) -> TargetEntry | None:
    if name in configuration.targets:
        if faults:
            raise UsageError(
                f"--fault works with the embedded target only, not with {name}; "
                "leave out --fault, or use --target demo"
            )
        return target_entry(configuration, name)
    if name == _DEMO or ":" in name:
        return None
    raise UnknownName("target", name, (_DEMO, *configuration.targets, _URL))


def _find(settings: RunSettings) -> CaseDefinition:
    definition = discovery.find(settings.case)
    _check_names(settings.configuration, definition)
    return definition


def _configured(
    settings: RunSettings, definition: CaseDefinition, paths: Mapping[str, str]
) -> ConfiguredCase:
    return configure(
        definition,
        profile=settings.profile,
        steps=settings.steps,
        settings=settings.assignments,
        configured=case_assignments(settings.configuration, definition.id),
        paths=paths,
    )


def _check_names(configuration: Configuration, definition: CaseDefinition) -> None:
    """What the configuration calls by the name that a test case gives it, over all cases."""
    if not (configuration.cases or configuration.targets):
        return
    catalogue = discovery.discover()
    # A case that cannot be loaded has an id, roles and paths that nobody knows.
    if catalogue.broken:
        return
    cases = {case.id: case for case in (*catalogue.cases, definition)}
    check_case_names(configuration, list(cases))
    roles = {role: None for case in cases.values() for role in case.case.models}
    paths = {path: None for case in cases.values() for path in _paths_of(configuration, case)}
    for name in configuration.targets:
        check_roles(configuration, name, roles)
        check_paths(configuration, name, paths)


def _paths_of(configuration: Configuration, case: CaseDefinition) -> list[str]:
    """The values of its parameters that are paths, and those that the configuration sets."""
    parts = [part for step in case.steps for part in step.parts]
    params = [*case.parameters.values(), *(p for part in parts for p in part.parameters.values())]
    values = [param.value(profile) for param in params for profile in PROFILES]
    values += [
        value
        for name, entry in configuration.cases.items()
        if name.casefold() == case.id.casefold()
        for value in entry.parameters.values()
    ]
    return [value for value in values if isinstance(value, str) and value.startswith("/")]
