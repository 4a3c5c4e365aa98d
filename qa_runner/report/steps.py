"""The steps and parts of a run for the template."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import Any

from qa_runner.report.attempts import attempts_line, step_verdict, unfinished
from qa_runner.report.charts.canvas import Drawing
from qa_runner.report.criteria import ICONS, criterion_row
from qa_runner.report.format import cell, duration, wall_time
from qa_runner.report.inside import COLUMNS, inside_of_parts, remark, row
from qa_runner.report.source import Source
from qa_runner.report.tables import table_view
from qa_runner.result import (
    Attempt,
    LoadResult,
    ParameterResult,
    PartResult,
    RunResult,
    StepResult,
)

__all__ = ["drawing_view", "step_view"]

_OWN_REASONS = ("", "run", "rerun")


def step_view(
    source: Source, step: StepResult, drawing: Drawing | None, known: set[str]
) -> dict[str, Any]:
    """One step; of its attempts the latest in full, the earlier ones by their verdict."""
    latest, verdict = step.latest, step_verdict(step)
    return {
        "anchor": f"step-{step.number}",
        "number": step.number,
        "title": step.title,
        "purpose": step.purpose,
        "verdict": verdict.value,
        "icon": ICONS[verdict],
        "ran": latest is not None,
        "attempts": attempts_line(step),
        "stale": step.stale,
        "selected": step.selected,
        "error": latest.error if latest else "",
        "because": latest.reason if latest and latest.reason not in _OWN_REASONS else "",
        "when": _when(source, latest) if latest else "",
        "rerun": _rerun(source.run, step),
        "figure": drawing_view(drawing) if drawing else None,
        "inside": _inside(source, step),
        "criteria": [criterion_row(result, known) for result in latest.criteria] if latest else [],
        "unreached": [criterion_row(result, known) for result in step.unreached],
        "parts": [_part(part, known) for part in latest.parts] if latest else [],
    }


def _rerun(run: RunResult, step: StepResult) -> str:
    command = ["qa-runner", "rerun", run.run_id, "--step", str(step.number), *run.found_with]
    return shlex.join(command)


def _inside(source: Source, step: StepResult) -> dict[str, Any] | None:
    """Where the response time of each part went, if the responses told it."""
    data = source.step(step)
    parts = inside_of_parts(data) if data else []
    if not parts:
        return None
    return {
        "columns": COLUMNS,
        "rows": [row(*held) for held in parts],
        "note": remark(held for _, held in parts),
    }


def drawing_view(drawing: Drawing) -> dict[str, Any]:
    """A figure with its words and its data."""
    caption = drawing.caption
    return {
        "svg": drawing.svg,
        "title": caption.title,
        "description": caption.description,
        "file": f"figures/{drawing.name}.png",
        "columns": caption.columns,
        "rows": caption.rows,
        "note": caption.note,
    }


def _when(source: Source, attempt: Attempt) -> str:
    began = wall_time(source.session(attempt.session), attempt.start, date=True)
    if unfinished(attempt):
        return f"{began}, not to the end"
    return f"{began}, took {duration(attempt.end - attempt.start)}"


def _part(part: PartResult, known: set[str]) -> dict[str, Any]:
    return {
        "anchor": f"part-{part.id}",
        "id": part.id,
        "title": part.title,
        "verdict": part.verdict.value,
        "icon": ICONS[part.verdict],
        "source": part.source,
        "error": part.error,
        "notes": part.notes,
        "criteria": [criterion_row(result, known) for result in part.criteria],
        "parameters": [_parameter(held) for held in part.parameters],
        "loads": _loads(part.loads),
        "tables": [table_view(table) for table in part.tables],
    }


def _parameter(held: ParameterResult) -> dict[str, str]:
    def shown(value: Any) -> str:
        return f"{cell(value)} {held.unit}".rstrip()

    return {
        "name": held.name,
        "value": shown(held.value),
        "document": shown(held.document_value) if held.differs else "",
        "origin": held.origin,
    }


def _loads(loads: list[LoadResult]) -> list[dict[str, str]]:
    """The loads as planned; single requests that were sent again and again are one line."""
    alike: dict[tuple[str, str, str, str], list[LoadResult]] = {}
    for load in loads:
        url = load.request.partition("\n")[0]
        alike.setdefault((load.role, load.shape, load.connections, url), []).append(load)
    return [_load(listed) for listed in alike.values()]


def _load(listed: list[LoadResult]) -> dict[str, str]:
    first = listed[0]
    counted: Counter[str] = Counter()
    for load in listed:
        counted.update(load.outcomes)
    outcomes = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    reasons = dict.fromkeys(load.stop_reason for load in listed if load.stop_reason)
    return {
        "role": first.role,
        "shape": first.shape,
        "times": f"{len(listed)} times" if len(listed) > 1 else "",
        "connections": first.connections,
        "timeout": f"{first.timeout_seconds:g} s",
        "took": duration(listed[-1].end - first.start),
        "outcomes": ", ".join(f"{count:,} {name}" for name, count in outcomes) or "nothing sent",
        "request": first.request,
        "stop_reason": ", ".join(reasons),
    }
