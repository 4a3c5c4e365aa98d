"""A target checked alone, without a run: nothing is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from qa_runner.check_result import CheckResult, Level
from qa_runner.checks.database import PROBE_SECONDS
from qa_runner.clock import Clock
from qa_runner.errors import TargetError
from qa_runner.new_run import new_run
from qa_runner.preflight import preflight
from qa_runner.prepare import Prepared, prepare
from qa_runner.runner import approve
from qa_runner.session import Session
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.targets.choose import check_database, check_target, open_target
from qa_runner.targets.url import only_this_machine

__all__ = ["check"]


def check(
    settings: RunSettings, stop: StopToken, tell: Callable[[CheckResult], None]
) -> list[CheckResult]:
    """What a run with these settings would find before its first load; ``tell`` hears at once.

    The case's own request is sent once, and what it writes stays. A target that cannot be reached
    is a finding. Raises UsageError as :meth:`qa_runner.runner.Runner.run` does, GeneratorError,
    StopRequested.
    """
    prepared = prepare(settings)
    check_target(settings.target, settings.faults, prepared.entry)
    with ExitStack() as stack:
        try:
            return _check(stack, prepared, settings, stop, tell)
        except TargetError as error:
            unreachable = CheckResult(
                id="reachable", title="Reachable", level=Level.FAILURE, text=str(error)
            )
            tell(unreachable)
            return [unreachable]


def _check(
    stack: ExitStack,
    prepared: Prepared,
    settings: RunSettings,
    stop: StopToken,
    tell: Callable[[CheckResult], None],
) -> list[CheckResult]:
    database = check_database(settings.target, settings.database_url)
    approval = approve(prepared, settings)
    clock = Clock()
    run = new_run(prepared.case, settings, clock, prepared.entry)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qa-runner-check-")))
    session = stack.enter_context(
        Session(
            prepared.case,
            number=1,
            run_tag=run.tag,
            stop=stop,
            clock=clock,
            limits=approval.limits() if approval else None,
            probe_start_seconds=PROBE_SECONDS,
        )
    )
    stored = run.target
    target = stack.enter_context(
        open_target(
            stored.name,
            stored.url,
            stored.faults,
            folder,
            entry=prepared.entry,
            stop=stop,
            permit=approval.permit if approval else only_this_machine,
            database=database,
        )
    )
    stack.enter_context(session.watching(target, lambda _name, _rows: None))
    return list(preflight(session, target, lambda _rows: None, tell=tell).results)
