"""Runs a test case: steps in order, events to those who listen, everything to the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qa_runner.clock import Clock
from qa_runner.configuration.schema import Configuration
from qa_runner.execution import Execution, Finish
from qa_runner.feed import Feed, Listener
from qa_runner.new_run import new_run, session_of
from qa_runner.prepare import Prepared, prepare, prepare_rerun
from qa_runner.protection.caps import check_case
from qa_runner.result import RunResult
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.store import RunReader, RunWriter
from qa_runner.targets.approval import Approval
from qa_runner.targets.choose import DEMO, check_database, check_same_database, check_target

__all__ = ["Runner", "approve"]


class Runner:
    """Runs or reruns. ``stop`` is set by whoever wants it to end early.

    ``finish`` is where a report is rendered: whatever it writes, no second run is at it too.
    """

    def __init__(self, listeners: Iterable[Listener], stop: StopToken, finish: Finish) -> None:
        self._listeners = tuple(listeners)
        self._stop = stop
        self._finish = finish

    def run(self, settings: RunSettings) -> RunResult:
        """Run a case.

        Raises UsageError for options that do not fit, CouldNotRun (TargetError) if the target
        does not answer as the API under test, StopRequested (SafetyStop to protect the target) if
        stopped before anything was measured. Whatever happens once the run folder exists is in the
        result.
        """
        prepared = prepare(settings)
        check_target(settings.target, settings.faults, prepared.entry)
        database = check_database(settings.target, settings.database_url)
        approval = approve(prepared, settings)
        clock = Clock()
        run = new_run(prepared.case, settings, clock, prepared.entry)
        folder = settings.output / prepared.case.definition.id.lower() / run.run_id
        execution = Execution(
            prepared.case,
            run,
            Feed(self._listeners, clock),
            self._stop,
            session=1,
            entry=prepared.entry,
            approval=approval,
            database=database,
        )
        execution.perform(folder, self._finish, cleanup=settings.cleanup)
        return run

    def rerun(
        self,
        folder: Path,
        number: int,
        configuration: Configuration | None = None,
        *,
        confirm: str = "",
        database_url: str = "",
    ) -> RunResult:
        """Run one step again inside an existing run, as a new attempt.

        A target that the run took from the configuration is taken from ``configuration`` again.
        Raises UsageError, CouldNotRun or StopRequested as :meth:`run` does.
        """
        RunReader(folder).result()  # refused before anything is locked or started
        with RunWriter.open(folder) as writer:
            # Read under the lock: nobody changes it between here and the last write.
            run = RunReader(folder).result()
            prepared = prepare_rerun(run, number, configuration or Configuration())
            if prepared.entry is not None:
                check_target(run.target.name, (), prepared.entry)
            database = check_database(run.target.name, database_url)
            check_same_database(run.settings, database)
            approval = approve(
                prepared,
                RunSettings(
                    case=run.test_id,
                    configuration=configuration or Configuration(),
                    target=run.target.url if run.target.name == "url" else run.target.name,
                    confirm=confirm,
                ),
            )
            clock = Clock()
            session = len(run.sessions) + 1
            run.sessions.append(session_of(session, clock, f"rerun --step {number}"))
            execution = Execution(
                prepared.case,
                run,
                Feed(self._listeners, clock),
                self._stop,
                session=session,
                entry=prepared.entry,
                approval=approval,
                database=database,
            )
            execution.perform_again(writer, self._finish)
        return run


def approve(prepared: Prepared, settings: RunSettings) -> Approval | None:
    """That the target may be asked for all that the case will; None for the embedded target.

    Raises UsageError if not.
    """
    if prepared.entry is None and settings.target == DEMO:
        return None
    approval = Approval.of(
        settings.target,
        prepared.entry,
        settings.configuration,
        confirm=settings.confirm,
        named=settings.target_named,
    )
    check_case(prepared.case, approval.limits())
    return approval
