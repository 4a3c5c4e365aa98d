"""A test case, checked when it is loaded: before a single request is sent."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qa_runner.criteria import Criterion, parse
from qa_runner.errors import TestCaseError
from qa_runner.load.plan import Shape
from qa_runner.metric import Metric, registry
from qa_runner.testcase import CHARTS, Loads, Param, PartMark, Step, TestCase

__all__ = ["CaseDefinition", "PartDefinition", "StepDefinition", "define"]

_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_PART_ID = re.compile(r"([1-9][0-9]*)\.([1-9][0-9]*)\Z")
_FIGURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class PartDefinition:
    """A part, checked: its parameters, criteria and method."""

    id: str
    title: str
    source: str
    method: str
    counts_for_step: bool
    parameters: Mapping[str, Param]
    criteria: tuple[Criterion, ...]
    seconds: Callable[..., float] | float
    loads: Loads | None

    def shapes(self, values: Mapping[str, Any]) -> tuple[Shape, ...]:
        """The loads that the part declares, with these values of its parameters.

        Raises TestCaseError if its function does not make sense of them.
        """
        if self.loads is None:
            return ()
        try:
            declared = self.loads(**values)
            return (declared,) if isinstance(declared, Shape) else tuple(declared)
        except Exception as error:  # noqa: BLE001 (the function is of the case: anybody's code)
            raise TestCaseError(f"part {self.id}: loads= fails: {error}") from None


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A step, checked, with its parts in order."""

    number: int
    title: str
    purpose: str
    figure: str
    chart: str
    step: type[Step]
    requires: tuple[str, ...]
    provides: tuple[str, ...]
    parts: tuple[PartDefinition, ...]
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class CaseDefinition:
    """A case, checked, with its steps in order."""

    id: str
    name: str
    description: str
    case: type[TestCase]
    metrics: Mapping[str, Metric]
    parameters: Mapping[str, Param]
    steps: tuple[StepDefinition, ...]
    origin: str


def define(case: type[TestCase], origin: str) -> CaseDefinition:
    """Check a case and everything in it, before a single request is sent.

    Raises TestCaseError (CriterionError for a criterion), naming ``origin``, for a missing
    attribute, two steps or parts of one number, a chart that does not exist, a parameter that
    the method does not take, or a criterion that does not parse.
    """
    _check_case(case, origin)
    try:
        metrics = registry(case.metrics)
    except ValueError as error:
        raise TestCaseError(f"{origin}: {error}") from None
    defined = sorted(
        (_define_step(step, metrics, origin) for step in case.steps), key=lambda s: s.number
    )
    _check_together(defined, origin)
    return CaseDefinition(
        id=case.id,
        name=case.name,
        description=case.description,
        case=case,
        metrics=metrics,
        parameters=dict(case.parameters),
        steps=tuple(defined),
        origin=origin,
    )


def _check_case(case: type[TestCase], origin: str) -> None:
    for attribute in ("id", "name", "description", "steps"):
        if not getattr(case, attribute, None):
            raise TestCaseError(f"{origin}: {case.__name__} has no {attribute}")
    if not _CASE_ID.match(str(case.id)):
        raise TestCaseError(f"{origin}: id '{case.id}' must fit a folder's name: CASE-1")
    _check_tuple(case.steps, "steps", f"{origin}: {case.__name__}")
    _check_tuple(case.metrics, "metrics", f"{origin}: {case.__name__}")
    for step in case.steps:
        if not (inspect.isclass(step) and issubclass(step, Step)):
            raise TestCaseError(f"{origin}: {step!r} among the steps is no Step class")
    for name, value in case.parameters.items():
        _check_parameter(name, value, f"{origin}: {case.__name__}")


def _check_together(steps: list[StepDefinition], origin: str) -> None:
    """Numbers, facts and ids over all steps, which are in order."""
    for before, after in itertools.pairwise(steps):
        if before.number == after.number:
            raise TestCaseError(
                f"{origin}: {before.step.__name__} and {after.step.__name__} are both "
                f"step {after.number}; give each a number of its own"
            )
    provided: set[str] = set()
    for step in steps:
        missing = set(step.requires) - provided
        if missing:
            raise TestCaseError(
                f"{origin}: step {step.number} requires {', '.join(sorted(missing))}, "
                "which no earlier step provides"
            )
        provided |= set(step.provides)
    ids = [c.id for s in steps for c in (*(c for p in s.parts for c in p.criteria), *s.criteria)]
    for identifier in ids:
        if ids.count(identifier) > 1:
            raise TestCaseError(f"{origin}: two criteria have the id {identifier}")


def _check_tuple(value: Any, name: str, where: str) -> None:
    if not isinstance(value, tuple | list):
        raise TestCaseError(f"{where}: {name} must be a tuple; is a comma missing?")


def _check_parameter(name: str, value: Any, where: str) -> None:
    """Only what ``--set`` can read and run.json can hold."""
    if not isinstance(value, Param):
        raise TestCaseError(f"{where}: {name}= must be a Param(...)")
    items = value.default if isinstance(value.default, tuple) else (value.default,)
    kinds = (int, float) if isinstance(value.default, tuple) else (int, float, str)
    if not items or {type(item) for item in items} - set(kinds):
        raise TestCaseError(
            f"{where}: {name}=Param({value.default!r}) must be a number, a text or a tuple of "
            "numbers"
        )


def _define_step(step: type[Step], metrics: Mapping[str, Metric], origin: str) -> StepDefinition:
    where = f"{origin}: {step.__name__}"
    for attribute in ("number", "title", "figure"):
        if not getattr(step, attribute, None):
            raise TestCaseError(f"{where} has no {attribute}")
    for attribute in ("criteria", "requires", "provides"):
        _check_tuple(getattr(step, attribute), attribute, where)
    if step.chart not in CHARTS:
        raise TestCaseError(f"{where}: chart '{step.chart}'; valid: {', '.join(CHARTS)}")
    if not _FIGURE.match(step.figure):
        raise TestCaseError(f"{where}: figure '{step.figure}' is not a plain file name")
    marked = [
        (name, member.__qa_part__)
        for name, member in inspect.getmembers(step, inspect.isfunction)
        if hasattr(member, "__qa_part__")
    ]
    if not marked:
        raise TestCaseError(f"{where} has no parts; mark its methods with @part")
    parts = [_define_part(step, name, mark, metrics, where) for name, mark in marked]
    parts.sort(key=lambda definition: int(definition.id.split(".")[1]))
    for before, after in itertools.pairwise(parts):
        if before.id == after.id:
            raise TestCaseError(f"{where}: two parts have the id {after.id}")
    try:
        criteria = tuple(
            parse(text, str(step.number), metrics, step.source) for text in step.criteria
        )
    except TestCaseError as error:
        raise type(error)(f"{where}: {error}") from None
    return StepDefinition(
        number=step.number,
        title=step.title,
        purpose=inspect.getdoc(step) or "",
        figure=step.figure,
        chart=step.chart,
        step=step,
        requires=step.requires,
        provides=step.provides,
        parts=tuple(parts),
        criteria=criteria,
    )


def _check_seconds(mark: PartMark, where: str) -> None:
    if not callable(mark.seconds):
        return
    try:
        float(mark.seconds(**{name: param.default for name, param in mark.parameters.items()}))
    except Exception as error:  # noqa: BLE001 (the function is of the case: anybody's code)
        raise TestCaseError(f"{where}: seconds= does not fit its parameters: {error}") from None


def _check_loads(mark: PartMark, where: str) -> None:
    if mark.loads is None:
        return
    try:
        declared = mark.loads(**{name: param.default for name, param in mark.parameters.items()})
        shapes = [declared] if isinstance(declared, Shape) else list(declared)
    except Exception as error:  # noqa: BLE001 (the function is of the case: anybody's code)
        raise TestCaseError(f"{where}: loads= does not fit its parameters: {error}") from None
    for shape in shapes:
        if not isinstance(shape, Shape):
            raise TestCaseError(f"{where}: loads= gives {shape!r}, which is no shape of load")


def _define_part(
    step: type[Step], name: str, mark: PartMark, metrics: Mapping[str, Metric], where: str
) -> PartDefinition:
    match = _PART_ID.match(mark.id)
    if match is None or int(match[1]) != step.number:
        raise TestCaseError(
            f"{where}.{name}: part '{mark.id}' does not belong to step "
            f"{step.number}; ids read '{step.number}.1'"
        )
    _check_tuple(mark.criteria, "criteria", f"{where}.{name}")
    first, *taken = [*inspect.signature(getattr(step, name)).parameters][1:] or [""]
    if not first or first in mark.parameters:
        raise TestCaseError(f"{where}.{name} must take the context: def {name}(self, ctx, ...)")
    for parameter, value in mark.parameters.items():
        _check_parameter(parameter, value, f"{where}.{name}")
    if sorted(taken) != sorted(mark.parameters):
        raise TestCaseError(
            f"{where}.{name} takes {', '.join(taken) or 'no parameters'}, but its @part gives "
            f"{', '.join(mark.parameters) or 'none'}"
        )
    _check_seconds(mark, f"{where}.{name}")
    _check_loads(mark, f"{where}.{name}")
    try:
        mark.title.format(**{key: param.default for key, param in mark.parameters.items()})
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise TestCaseError(
            f"{where}.{name}: title '{mark.title}' names no parameter: {error}"
        ) from None
    try:
        criteria = tuple(parse(text, mark.id, metrics, mark.source) for text in mark.criteria)
    except TestCaseError as error:
        raise type(error)(f"{where}.{name}: {error}") from None
    return PartDefinition(
        id=mark.id,
        title=mark.title,
        source=mark.source,
        method=name,
        counts_for_step=mark.counts_for_step,
        parameters=mark.parameters,
        criteria=criteria,
        seconds=mark.seconds,
        loads=mark.loads,
    )
