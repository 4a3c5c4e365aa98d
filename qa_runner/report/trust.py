"""Can these figures be trusted? The generator measured, and what was not measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from qa_runner.report.calibration import calibration_facts, cautions
from qa_runner.report.checks import checks
from qa_runner.report.conditions import conditions
from qa_runner.report.format import plural, quantity
from qa_runner.report.source import Source
from qa_runner.report.version import version_caution
from qa_runner.saturation import burst_spreads
from qa_runner.table import Floats
from qa_runner.verdict import Verdict

__all__ = ["trust"]

_OPEN_SHAPES = ("burst", "constant arrival rate", "ramping arrival rate")


def trust(source: Source) -> dict[str, Any]:
    """Facts about the measurement itself."""
    run = source.run
    return {
        "facts": [
            *calibration_facts(run),
            *_generator(source),
            *_probe(source),
            *_lateness(source),
            *_bursts(source),
            *_amount(source),
            *conditions(source),
        ],
        "checks": checks(run),
        "versions": version_caution(run),
        "cautions": cautions(run),
        "notes": run.notes,
        "unmeasured": _unmeasured(source),
        "excluded": run.excluded,
    }


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _spread(values: Floats, unit: str) -> str:
    high, most = float(np.percentile(values, 95)), float(values.max())
    middle = quantity(float(np.median(values)), unit)
    return f"median {middle}, p(95) {quantity(high, unit)}, max {quantity(most, unit)}"


def _generator(source: Source) -> list[tuple[str, str]]:
    table = source.series["generator"]
    facts = []
    for label, column, unit in (
        ("CPU of the load generator (100 % = one core)", "cpu_percent", "%"),
        ("Lag of the generator's event loop", "loop_lag_seconds", "s"),
    ):
        values = _known(table.number(column))
        facts.append((label, _spread(values, unit) if values.size else "not measured"))
    return facts


def _probe(source: Source) -> list[tuple[str, str]]:
    """What the database probe itself cost the database."""
    table = source.series["database"]
    each = _known(table.number("probe_seconds"))
    if not each.size:
        return []
    facts = [("Cost of each reading of the database probe", _spread(each, "s"))]
    statements = busy = passed = 0.0
    for session in np.unique(table.number("session")):
        mine = table.where(table.number("session") == session)
        counted = _known(mine.number("probe_statements"))
        if counted.size:
            statements += float(counted.max())
            busy += float(_known(mine.number("probe_busy_seconds")).max(initial=0.0))
            ends = _known(mine.number("read_end"))
            passed += float(np.ptp(ends)) if ends.size else 0.0
    if statements:
        share = f" of {quantity(passed, 's')}" if passed else ""
        words = f"{statements:,.0f} statements, at work for {quantity(busy, 's')}{share}"
        facts.append(("Load of the database probe in all", words))
    return facts


def _lateness(source: Source) -> list[tuple[str, str]]:
    """How late the sends of open loads were: due to started."""
    late: list[Floats] = []
    for step in source.run.steps:
        if step.latest is None:
            continue
        samples = source.samples(step.latest)
        numbers = samples.number("load")
        for part in step.latest.parts:
            for load in part.loads:
                if load.shape.startswith(_OPEN_SHAPES):
                    mine = samples.where(numbers == load.number)
                    late.append(_known(mine.number("started") - mine.number("due")))
    label = "Lateness of sends in bursts and arrival rates"
    values = np.concatenate(late) if late else np.empty(0)
    if not values.size:
        return [(label, "no such load was sent")]
    low, high = np.percentile(values, [50, 99])
    words = f"p(50) {quantity(float(low), 's')}, p(99) {quantity(float(high), 's')}"
    return [(label, f"{words}, of {plural(values.size, 'request')}")]


def _bursts(source: Source) -> list[tuple[str, str]]:
    """How simultaneous the requests of bursts were."""
    spreads = []
    for step in source.run.steps:
        if step.latest is None:
            continue
        samples = source.samples(step.latest)
        numbers = samples.number("load")
        for part in step.latest.parts:
            for load in part.loads:
                if load.burst > 1:
                    mine = samples.where(numbers == load.number)
                    spreads += [spread for spread, _ in burst_spreads(mine, load.burst)]
    if not spreads:
        return []
    widest = quantity(max(spreads), "s")
    return [("Spread of the starts within a burst", f"{widest} at most, of 95 % of its requests")]


def _amount(source: Source) -> list[tuple[str, str]]:
    samples = source.all_samples
    outcomes = samples.text("outcome")
    loads = [
        load.connections
        for step in source.run.steps
        if step.latest is not None
        for part in step.latest.parts
        for load in part.loads
    ]
    facts = [
        ("Requests in all attempts", f"{len(samples):,}"),
        ("Dropped iterations (due, but not started)", f"{outcomes.count('dropped'):,}"),
    ]
    if loads:
        facts.append(("Connections", ", ".join(sorted(set(loads)))))
    return facts


def _unmeasured(source: Source) -> list[str]:
    found = [
        f"{result.id}: {result.reason or 'not measured'}"
        for result in source.run.criteria()
        if result.verdict is Verdict.INCONCLUSIVE
    ]
    for step in source.run.steps:
        for part in step.latest.parts if step.latest else []:
            for metric in part.metrics:
                if metric.value is None:
                    tag = f" ({metric.tag})" if metric.tag else ""
                    reason = metric.reason or "no reason was given"
                    found.append(f"{part.id} {metric.name}{tag}: {reason}")
    return found
