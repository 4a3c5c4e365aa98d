"""Runs a test case: steps in order, events to those who listen, everything to the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qa_runner import discovery
from qa_runner.clock import Clock
from qa_runner.configure import configure, select
from qa_runner.errors import UnknownName
from qa_runner.execution import Execution, Finish
from qa_runner.feed import Feed, Listener
from qa_runner.new_run import new_run, session_of
from qa_runner.result import RunResult
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.store import RunReader, RunWriter
from qa_runner.targets.choose import check_target

__all__ = ["Runner"]


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
        does not answer as the API under test, StopRequested if stopped before anything was
        measured. Whatever happens once the run folder exists is in the result.
        """
        case = configure(
            discovery.find(settings.case),
            profile=settings.profile,
            steps=settings.steps,
            settings=settings.assignments,
        )
        check_target(settings.target, settings.faults)
        clock = Clock()
        run = new_run(case, settings, clock)
        folder = settings.output / case.definition.id.lower() / run.run_id
        execution = Execution(case, run, Feed(self._listeners, clock), self._stop, session=1)
        execution.perform(folder, self._finish, cleanup=settings.cleanup)
        return run

    def rerun(self, folder: Path, number: int) -> RunResult:
        """Run one step again inside an existing run, as a new attempt.

        Raises UsageError, CouldNotRun or StopRequested as :meth:`run` does.
        """
        RunReader(folder).result()  # refused before anything is locked or started
        with RunWriter.open(folder) as writer:
            # Read under the lock: nobody changes it between here and the last write.
            run = RunReader(folder).result()
            definition = discovery.find(run.test_id)
            numbers = [step.number for step in definition.steps]
            if number not in numbers:
                raise UnknownName("step", str(number), map(str, numbers))
            case = configure(definition, profile=run.profile, steps=(), settings=run.overrides)
            clock = Clock()
            session = len(run.sessions) + 1
            run.sessions.append(session_of(session, clock, f"rerun --step {number}"))
            execution = Execution(
                select(case, number),
                run,
                Feed(self._listeners, clock),
                self._stop,
                session=session,
            )
            execution.perform_again(writer, self._finish)
        return run
