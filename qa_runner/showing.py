"""A test case as ``qa-runner show`` prints it."""

from __future__ import annotations

from typing import Any

from qa_runner.configure import ConfiguredCase, ConfiguredPart
from qa_runner.criteria import Criterion
from qa_runner.result import ParameterResult

__all__ = ["as_data", "as_lines"]


def as_data(case: ConfiguredCase) -> dict[str, Any]:
    """The case as JSON-like data."""
    return {
        "id": case.definition.id,
        "name": case.definition.name,
        "description": case.definition.description,
        "profile": case.profile,
        "parameters": dict(case.parameters),
        "steps": [
            {
                "number": step.definition.number,
                "title": step.definition.title,
                "purpose": step.definition.purpose,
                "figure": step.definition.figure,
                "parts": [_part(part) for part in step.parts],
                "criteria": [_criterion(criterion) for criterion in step.criteria],
            }
            for step in case.steps
        ],
    }


def _part(part: ConfiguredPart) -> dict[str, Any]:
    return {
        "id": part.definition.id,
        "title": part.title,
        "source": part.definition.source,
        "parameters": part.values,
        "criteria": [_criterion(criterion) for criterion in part.criteria],
    }


def _criterion(criterion: Criterion) -> dict[str, str]:
    return {
        "id": criterion.id,
        "expression": criterion.expression,
        "wish": criterion.wish,
        "source": criterion.source,
    }


def as_lines(case: ConfiguredCase) -> list[str]:
    """The case as text, a line each."""
    definition = case.definition
    lines = [f"{definition.id}  {definition.name}", definition.description, ""]
    lines.append(f"parameters  (--set case.NAME=VALUE; values of profile {case.profile})")
    lines += [f"  case.{name} = {value}" for name, value in case.parameters.items()]
    for step in case.steps:
        lines += ["", f"Step {step.definition.number}  {step.definition.title}"]
        for part in step.parts:
            lines += [f"  {part.definition.id}  {part.title}"]
            lines += [f"      {_parameter(part, parameter)}" for parameter in part.parameters]
            lines += [f"      {_line(criterion)}" for criterion in part.criteria]
        if step.criteria:
            lines += ["  over the step"]
            lines += [f"      {_line(criterion)}" for criterion in step.criteria]
    return lines


def _parameter(part: ConfiguredPart, parameter: ParameterResult) -> str:
    value = parameter.value
    shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
    unit = f" {parameter.unit}" if parameter.unit else ""
    text = f"   (text: {parameter.document_value})" if parameter.differs else ""
    return f"{part.definition.id}.{parameter.name} = {shown}{unit}{text}"


def _line(criterion: Criterion) -> str:
    wish = f"   # {criterion.wish}" if criterion.wish else ""
    return f"{criterion.id:<40} {criterion.expression}{wish}"
