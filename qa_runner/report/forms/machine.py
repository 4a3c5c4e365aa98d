"""The run for programs: ``result.json``, as its published JSON Schema describes it."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from qa_runner.criteria import CriterionResult
from qa_runner.report.attempts import step_verdict
from qa_runner.report.forms import machine_schema as form
from qa_runner.report.forms.story import Story
from qa_runner.report.source import answered_seconds, succeeded
from qa_runner.report.version import measured_versions
from qa_runner.result import LoadResult, PartResult, StepResult
from qa_runner.table import SAMPLES, Table
from qa_runner.verdict import Verdict

__all__ = ["machine"]


def machine(story: Story) -> bytes:
    """The document, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(_result(story)), indent=2) + b"\n"


def _result(story: Story) -> form.Result:
    run = story.run
    counted = Counter(r.verdict.value for s in run.steps if s.selected for r in s.criteria())
    return form.Result(
        schema=form.SCHEMA,
        schema_version=form.VERSION,
        tool=form.Tool(name="qa-runner", version=run.tool_version),
        test_case=form.Case(id=run.test_id, name=run.test_name, description=run.description),
        run=form.Run(
            id=run.run_id,
            status=run.status,
            stop_reason=run.stop_reason,
            profile=run.profile,
            scope=run.scope,
            started=run.started,
            finished=run.finished,
            duration_seconds=max(run.duration_seconds, 0.0),
            overrides=run.overrides,
            configured=run.configured,
        ),
        verdict=run.verdict,
        reason=story.reason,
        counts={verdict.value: counted[verdict.value] for verdict in Verdict},
        target=form.Target(
            name=run.target.name,
            url=run.target.url,
            environment=run.target.environment,
            version=measured_versions(run),
            faults=run.target.faults,
            facts=run.target.facts,
        ),
        criteria=[criterion for step in run.steps for criterion in _criteria(step)],
        excluded=run.excluded,
        steps=[_step(story, step) for step in run.steps],
        findings=[msgspec.convert(row, form.Finding) for row in story.findings],
        environment=run.environment,
        checks=[msgspec.convert(msgspec.to_builtins(held), form.Check) for held in run.checks],
        notes=run.notes,
    )


def _criteria(step: StepResult) -> list[form.Criterion]:
    return [_criterion(step, result) for result in step.criteria()]


def _criterion(step: StepResult, result: CriterionResult) -> form.Criterion:
    part = result.owner if "." in result.owner else ""
    own = {"step": step.number, "part": part, "counts": step.selected}
    return msgspec.convert(msgspec.to_builtins(result) | own, form.Criterion)


def _step(story: Story, step: StepResult) -> form.Step:
    latest = step.latest
    took = max(story.source.end(latest) - latest.start, 0.0) if latest else 0.0
    samples = story.source.samples(latest) if latest else Table(SAMPLES)
    return form.Step(
        number=step.number,
        title=step.title,
        purpose=step.purpose,
        verdict=step_verdict(step),
        selected=step.selected,
        attempts=len(step.attempts),
        duration_seconds=took,
        error=latest.error if latest else "",
        stale=step.stale,
        parts=[_part(part, samples) for part in latest.parts] if latest else [],
    )


def _part(part: PartResult, samples: Table) -> form.Part:
    return form.Part(
        id=part.id,
        title=part.title,
        verdict=part.verdict,
        duration_seconds=max(part.end - part.start, 0.0),
        error=part.error,
        loads=[_load(load, samples) for load in part.loads],
        metrics=[
            form.Metric(
                name=metric.name,
                tag=metric.tag,
                value=metric.value,
                unit=metric.unit,
                beyond=metric.beyond,
                reason=metric.reason,
            )
            for metric in part.metrics
        ],
        notes=part.notes,
    )


def _load(load: LoadResult, samples: Table) -> form.Load:
    mine = samples.where(samples.number("load") == load.number)
    return form.Load(
        number=load.number,
        role=load.role,
        shape=load.shape,
        connections=load.connections,
        duration_seconds=max(load.end - load.start, 0.0),
        requests=int((~mine.text_equals("outcome", "cancelled")).sum()),
        outcomes=load.outcomes,
        successes_per_second=_successes_per_second(mine),
        response_time=_response_time(mine),
        stop_reason=load.stop_reason,
    )


def _successes_per_second(samples: Table) -> float | None:
    """Throughput, as criteria have it."""
    finished = samples.number("finished")[succeeded(samples)]
    finished = finished[np.isfinite(finished)]
    due = samples.number("due")
    due = due[np.isfinite(due)]
    if not finished.size or not due.size:
        return 0.0 if len(samples) else None
    seconds = float(finished.max() - due.min())
    return finished.size / seconds if seconds > 0 else None


def _response_time(samples: Table) -> form.ResponseTime | None:
    values = answered_seconds(samples)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    median, p90, p95, p99 = np.percentile(values, [50, 90, 95, 99]).tolist()
    return form.ResponseTime(
        requests=int(values.size),
        mean=float(values.mean()),
        median=median,
        p90=p90,
        p95=p95,
        p99=p99,
        max=float(values.max()),
    )
