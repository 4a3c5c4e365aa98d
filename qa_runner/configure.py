"""Turn a case's definition, a profile, the configuration and ``--set`` into a run's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from qa_runner.assignment import Assignment, from_option
from qa_runner.criteria import Criterion, override
from qa_runner.definition import CaseDefinition, PartDefinition, StepDefinition
from qa_runner.errors import CriterionError, UnknownName, UsageError
from qa_runner.result import ParameterResult
from qa_runner.testcase import PROFILES, Param

__all__ = ["ConfiguredCase", "ConfiguredPart", "ConfiguredStep", "configure", "select"]

_LARGEST = 10**9


@dataclass(frozen=True, slots=True)
class ConfiguredPart:
    """A part with the values of its parameters and the limits of its criteria."""

    definition: PartDefinition
    parameters: tuple[ParameterResult, ...]
    criteria: tuple[Criterion, ...]
    selected: bool

    @property
    def values(self) -> dict[str, Any]:
        """What its method is called with."""
        return {parameter.name: parameter.value for parameter in self.parameters}

    @property
    def title(self) -> str:
        """The title, with the values of parameters that it names in braces."""
        return self.definition.title.format(**self.values)

    @property
    def expected_seconds(self) -> float:
        """How long it takes by its schedule."""
        seconds = self.definition.seconds
        return float(seconds(**self.values)) if callable(seconds) else float(seconds)


@dataclass(frozen=True, slots=True)
class ConfiguredStep:
    """A step with its configured parts."""

    definition: StepDefinition
    parts: tuple[ConfiguredPart, ...]
    criteria: tuple[Criterion, ...]

    @property
    def selected(self) -> bool:
        """Whether any part of it was asked for."""
        return any(part.selected for part in self.parts)

    @property
    def left_out(self) -> str:
        """Why its own criteria are no part of the run; empty if all that they count is selected."""
        ids = [
            part.definition.id
            for part in self.parts
            if part.definition.counts_for_step and not part.selected
        ]
        return f"needs all its parts, and {', '.join(ids)} did not run" if ids else ""


@dataclass(frozen=True, slots=True)
class ConfiguredCase:
    """A case as one run executes it."""

    definition: CaseDefinition
    profile: str
    steps: tuple[ConfiguredStep, ...]
    parameters: Mapping[str, Any]
    selected: tuple[str, ...]
    overrides: tuple[str, ...]
    configured: tuple[str, ...]

    @property
    def scope(self) -> str:
        """Why its verdict is not that of the test case: empty if it is."""
        words = []
        if self.profile != "full":
            words.append(f"profile {self.profile}")
        if self.selected:
            kind = "step" if len(self.selected) == 1 else "steps"
            words.append(f"{kind} {', '.join(self.selected)} only")
        if self.overrides or self.configured:
            words.append("changed parameters")
        return ", ".join(words)


def configure(
    definition: CaseDefinition,
    *,
    profile: str,
    steps: Sequence[str],
    settings: Sequence[str],
    configured: Sequence[Assignment] = (),
    paths: Mapping[str, str] = MappingProxyType({}),
) -> ConfiguredCase:
    """Apply profile, ``--step``, what the configuration sets, and ``--set``, which outranks it.

    A parameter whose value is a key of ``paths`` takes what stands there, unless ``--set`` gave
    it: so the endpoints of a case are found where a deployment has them.
    Raises UnknownName or UsageError for what the case does not have.
    """
    if profile not in PROFILES:
        raise UnknownName("profile", profile, PROFILES)
    selected = _selection(definition, steps)
    assigned = [*configured, *map(from_option, settings)]
    _check_owners(definition, assigned)
    values = _Values(profile, assigned, paths)
    ready = tuple(_configure_step(definition, step, values, selected) for step in definition.steps)
    _check_limits(ready, assigned)
    return ConfiguredCase(
        definition=definition,
        profile=profile,
        steps=ready,
        parameters={
            name: values.parameter("case", name, param).value
            for name, param in definition.parameters.items()
        },
        selected=tuple(dict.fromkeys(steps)),
        overrides=tuple(settings),
        configured=tuple(map(str, configured)),
    )


def _selection(definition: CaseDefinition, steps: Sequence[str]) -> set[str]:
    parts = [part.id for step in definition.steps for part in step.parts]
    numbers = [str(step.number) for step in definition.steps]
    if not steps:
        return set(parts)
    chosen: set[str] = set()
    for name in steps:
        if name in parts:
            chosen.add(name)
        elif name in numbers:
            chosen.update(part for part in parts if part.split(".")[0] == name)
        else:
            if "," in name:
                raise UsageError(f"--step '{name}': repeat the option, once for each step or part")
            kind = "part" if "." in name else "step"
            raise UnknownName(kind, name, parts if kind == "part" else numbers)
    return chosen


def _check_owners(definition: CaseDefinition, assigned: Sequence[Assignment]) -> None:
    parts = {part.id: part for step in definition.steps for part in step.parts}
    steps = {str(step.number) for step in definition.steps}
    for assignment in assigned:
        if assignment.is_limit:
            if assignment.owner not in parts and assignment.owner not in steps:
                raise assignment.unknown("part", assignment.owner, [*steps, *parts])
        elif assignment.owner == "case":
            if assignment.name not in definition.parameters:
                raise assignment.unknown("parameter", assignment.name, definition.parameters)
        elif assignment.owner not in parts:
            raise assignment.unknown("part", assignment.owner, parts)
        elif assignment.name not in parts[assignment.owner].parameters:
            valid = [
                *parts[assignment.owner].parameters,
                *(f"limit.{_limit_name(c)}" for c in parts[assignment.owner].criteria),
            ]
            kind = f"parameter of part {assignment.owner}"
            raise assignment.unknown(kind, assignment.name, valid)


def _configure_step(
    definition: CaseDefinition,
    step: StepDefinition,
    values: _Values,
    selected: set[str],
) -> ConfiguredStep:
    def limits(criteria: tuple[Criterion, ...], owner: str) -> tuple[Criterion, ...]:
        return tuple(_limit(c, owner, definition, values.assigned) for c in criteria)

    return ConfiguredStep(
        definition=step,
        criteria=limits(step.criteria, str(step.number)),
        parts=tuple(
            ConfiguredPart(
                definition=part,
                parameters=tuple(
                    values.parameter(part.id, name, param)
                    for name, param in part.parameters.items()
                ),
                criteria=limits(part.criteria, part.id),
                selected=part.id in selected,
            )
            for part in step.parts
        ),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """Where the values of parameters come from; of two assignments the last holds."""

    profile: str
    assigned: Sequence[Assignment]
    paths: Mapping[str, str]

    def parameter(self, owner: str, name: str, param: Param) -> ParameterResult:
        value = param.value(self.profile)
        origin = "profile" if value != param.default else "text"
        given = [a for a in self.assigned if (a.owner, a.name) == (owner, name)]
        if given:
            value, origin = _convert(given[-1], param), given[-1].origin
        if origin != "option" and isinstance(value, str) and value in self.paths:
            value, origin = self.paths[value], "configuration"
        return ParameterResult(
            name=name,
            value=value,
            document_value=param.default,
            differs=value != param.default,
            unit=param.unit,
            origin=origin,  # type: ignore[arg-type]
        )


def _convert(assignment: Assignment, param: Param) -> Any:
    """Read what is assigned as a value of the type that the parameter has."""
    like, text = param.default, assignment.value
    if isinstance(like, str):
        return text
    if isinstance(like, tuple):
        return tuple(_number(item, like[0], assignment.where, param) for item in text.split(","))
    return _number(text, like, assignment.where, param)


def _number(text: str, like: float, where: str, param: Param) -> float:
    kind, unit = type(like), param.unit
    try:
        value = kind(text.removesuffix(unit).strip() if unit else text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise UsageError(f"{where}: '{text}' is not {wanted}") from None
    enough = value >= 0 if param.zero else value > 0
    if not (enough and value <= _LARGEST):
        least = "0 or more" if param.zero else "above 0"
        raise UsageError(f"{where}: must be {least}, and at most {_LARGEST}")
    return value


def _limit_name(criterion: Criterion) -> str:
    return criterion.id.split("-", 1)[1]


def _limit(
    criterion: Criterion, owner: str, definition: CaseDefinition, assigned: Sequence[Assignment]
) -> Criterion:
    for assignment in reversed(assigned):  # of two the last holds, as with parameters
        if assignment.owner == owner and _is_limit_of(assignment, criterion):
            try:
                return override(criterion, assignment.value, definition.metrics)
            except CriterionError as error:
                raise assignment.criterion_error(error) from None
    return criterion


def _is_limit_of(assignment: Assignment, criterion: Criterion) -> bool:
    asked = assignment.name.removeprefix("limit.").replace("_", "-")
    return assignment.is_limit and asked == _limit_name(criterion)


def _check_limits(steps: Sequence[ConfiguredStep], assigned: Sequence[Assignment]) -> None:
    criteria: dict[str, list[Criterion]] = {}
    for step in steps:
        criteria[str(step.definition.number)] = list(step.criteria)
        for part in step.parts:
            criteria[part.definition.id] = list(part.criteria)
    for assignment in assigned:
        if not assignment.is_limit:
            continue
        own = criteria[assignment.owner]
        if not any(_is_limit_of(assignment, criterion) for criterion in own):
            valid = [f"limit.{_limit_name(criterion)}" for criterion in own]
            raise assignment.unknown(f"limit of {assignment.owner}", assignment.name, valid)


def select(case: ConfiguredCase, number: int) -> ConfiguredCase:
    """The same case with only step ``number`` selected, whole."""
    return replace(
        case,
        steps=tuple(
            replace(
                step,
                parts=tuple(
                    replace(part, selected=step.definition.number == number) for part in step.parts
                ),
            )
            for step in case.steps
        ),
    )
