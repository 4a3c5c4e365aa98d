"""Which parts of a case ask for more than the environment allows: known before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa_runner.errors import UsageError
from qa_runner.load.demand import Demand, demand_of
from qa_runner.load.limits import Limits

if TYPE_CHECKING:
    # A case is configured by what stands above this.
    from qa_runner.configure import ConfiguredCase, ConfiguredPart

__all__ = ["check_case", "least_requests"]

Measure = Callable[[list[Demand]], float]
"""From what the loads of a part ask for to the figure that a limit is about."""


_FIRST = 1
"""Sent before any load, to see whether the target is the API under test."""


@dataclass(frozen=True, slots=True)
class _Cap:
    name: str
    unit: str
    measure: Measure
    allowed: float


def check_case(case: ConfiguredCase, limits: Limits) -> None:
    """Check what the selected parts will ask for, as far as their shapes tell.

    Raises UsageError, one line: which part asks for how much, what is allowed, and the --set that
    lowers it. What the shapes don't tell is counted while the load is sent.
    """
    parts = list(_parts(case))
    for cap in _caps(limits):
        _check_each(parts, cap, limits.environment)
    if limits.most_requests is not None:
        _check_total(parts, limits.most_requests, limits.environment)


def least_requests(case: ConfiguredCase) -> int:
    """How many requests the run will send at least: those that the shapes of its loads tell, and
    the one before them.
    """
    return _FIRST + int(sum(_requests(_demands(part, part.values)) for part in _parts(case)))


def _caps(limits: Limits) -> Iterator[_Cap]:
    if limits.most_users is not None:
        yield _Cap("max_users", "users at a time", _most_users, limits.most_users)
    if limits.most_rate is not None:
        yield _Cap("max_rate", "req/s", _highest_rate, limits.most_rate)


def _most_users(demands: list[Demand]) -> float:
    return max((demand.users for demand in demands), default=0)


def _highest_rate(demands: list[Demand]) -> float:
    return max((demand.rate or 0.0 for demand in demands), default=0.0)


def _requests(demands: list[Demand]) -> float:
    return sum(demand.requests or 0 for demand in demands)


def _parts(case: ConfiguredCase) -> Iterator[ConfiguredPart]:
    """The parts that will run: those selected, and the steps whose facts these need."""
    needed = {fact for step in case.steps if step.selected for fact in step.definition.requires}
    for step in case.steps:
        provides = needed.intersection(step.definition.provides)
        for part in step.parts:
            if part.selected or (provides and not step.selected):
                yield part


def _check_each(parts: list[ConfiguredPart], cap: _Cap, environment: str) -> None:
    over = []
    for part in parts:
        asked = cap.measure(_demands(part, part.values))
        if asked > cap.allowed:
            remedy = _remedy(part, cap.measure, cap.allowed)
            over.append(f"part {part.definition.id} asks for {asked:,.10g}{remedy}")
    if over:
        raise UsageError(
            f"the environment {environment} allows {cap.allowed:,.10g} {cap.unit} ({cap.name}): "
            + "; ".join(over)
        )


def _check_total(parts: list[ConfiguredPart], allowed: int, environment: str) -> None:
    asked = {part.definition.id: _requests(_demands(part, part.values)) for part in parts}
    total = _FIRST + sum(asked.values())
    if total <= allowed:
        return
    largest = max(parts, key=lambda part: asked[part.definition.id])
    share = asked[largest.definition.id]
    remedy = _remedy(largest, _requests, max(allowed - (total - share), 0))
    raise UsageError(
        f"the environment {environment} allows {allowed:,} requests in a session (max_requests), "
        f"and the run sends {total:,.0f} or more: part {largest.definition.id} for "
        f"{share:,.0f} of them{remedy or '; select fewer with --step'}"
    )


def _demands(part: ConfiguredPart, values: Mapping[str, Any]) -> list[Demand]:
    return [demand_of(shape) for shape in part.definition.shapes(values)]


def _remedy(part: ConfiguredPart, measure: Measure, allowed: float) -> str:
    """The --set of one parameter that brings the part within the limit; empty if none does."""
    values = part.values
    asked = measure(_demands(part, values))
    for name, value in values.items():
        lower = _lowered(value, allowed, asked)
        if lower is None or lower == value:
            continue
        if measure(_demands(part, {**values, name: lower})) <= allowed:
            return f" (--set {part.definition.id}.{name}={_text(lower)})"
    return ""


def _lowered(value: Any, allowed: float, asked: float) -> Any:
    """A value in proportion; None if there is none that makes sense."""
    if isinstance(value, tuple):
        kept = tuple(item for item in value if item <= allowed)
        return kept or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    lower = value * allowed / asked
    if isinstance(value, int):
        return int(lower) or None
    if lower <= 0:
        return None
    # Rounded down, to three digits: what is printed must do.
    digits = 2 - math.floor(math.log10(lower))
    return math.floor(lower * 10.0**digits) / 10.0**digits


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value) if isinstance(value, int) else f"{value:.10g}"
