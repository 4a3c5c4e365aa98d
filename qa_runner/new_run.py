"""The record of a run that is about to begin."""

from __future__ import annotations

import os
import platform
import secrets
import sys

from qa_runner import __version__
from qa_runner.clock import Clock
from qa_runner.configuration.schema import TargetEntry
from qa_runner.configure import ConfiguredCase
from qa_runner.result import RunResult, Session, StepResult, TargetResult
from qa_runner.settings import RunSettings
from qa_runner.verdict import Verdict

__all__ = ["new_run", "session_of"]


def new_run(
    case: ConfiguredCase, settings: RunSettings, clock: Clock, entry: TargetEntry | None = None
) -> RunResult:
    """A run of ``case`` with nothing measured yet; of a configured target only name and address
    are kept.
    """
    definition = case.definition
    return RunResult(
        tool_version=__version__,
        run_id=f"run-{clock.wall_start:%Y%m%d-%H%M%S}",
        test_id=definition.id,
        test_name=definition.name,
        description=definition.description,
        status="running",
        verdict=Verdict.INCONCLUSIVE,
        scope=case.scope,
        profile=case.profile,
        selected=list(case.selected),
        overrides=list(case.overrides),
        found_with=list(settings.found_with),
        configured=list(case.configured),
        started=clock.wall_start.isoformat(timespec="milliseconds"),
        target=_target(settings, entry),
        # Short, lower case, unlikely to occur by chance in anybody else's data.
        tag=f"qa{clock.wall_start:%m%d%H%M%S}{secrets.token_hex(2)}",
        environment={
            "qa-runner": __version__,
            "Python": platform.python_version(),
            "operating system": platform.platform(),
            "processor": platform.machine(),
            "cores": str(os.cpu_count()),
            "clock": f"{sys.implementation.name} time.monotonic",
        },
        settings={
            "case": definition.id,
            "target": settings.target,
            **({} if entry is None else {"url": entry.url}),
            "faults": list(settings.faults),
            "profile": settings.profile,
            "steps": list(settings.steps),
            "set": list(settings.assignments),
            "cleanup": settings.cleanup,
            **({"own_database": True} if settings.database_url else {}),
            **{f"case.{name}": value for name, value in case.parameters.items()},
        },
        sessions=[session_of(1, clock, "run")],
        steps=[
            StepResult(
                number=step.definition.number,
                title=step.definition.title,
                purpose=step.definition.purpose,
                figure=step.definition.figure,
                chart=step.definition.chart,
                verdict=Verdict.INCONCLUSIVE if step.selected else Verdict.SKIPPED,
                selected=step.selected,
            )
            for step in case.steps
        ],
    )


def _target(settings: RunSettings, entry: TargetEntry | None) -> TargetResult:
    if entry is not None:
        return TargetResult(name=settings.target, url=entry.url, environment=entry.environment)
    embedded = settings.target == "demo"
    return TargetResult(
        name="demo" if embedded else "url",
        url="" if embedded else settings.target,
        environment="embedded" if embedded else "local",
        faults=list(settings.faults),
    )


def session_of(number: int, clock: Clock, command: str) -> Session:
    """The record of a session that begins with ``clock``."""
    return Session(
        id=number,
        wall_start=clock.wall_start.isoformat(timespec="milliseconds"),
        monotonic_start=clock.monotonic_start,
        command=command,
    )
