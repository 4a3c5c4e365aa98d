"""One session of one run: set up, steps in order, orderly end; everything saved on the way."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from qa_runner.configuration.schema import TargetEntry
from qa_runner.configure import ConfiguredCase
from qa_runner.errors import (
    CouldNotRun,
    OutputError,
    ProbeError,
    QaRunnerError,
    SafetyStop,
    StopRequested,
)
from qa_runner.events import Notice, RunFinished, RunStarted
from qa_runner.feed import Feed
from qa_runner.instruments import Instruments
from qa_runner.monitors.database_result import Mark
from qa_runner.own_log import log_to
from qa_runner.preflight import Preflight, preflight
from qa_runner.redacted_file import redact_file
from qa_runner.result import RunResult, Status, TargetResult
from qa_runner.sample_metrics import INSIDE
from qa_runner.sending import COMPLETE
from qa_runner.sequence import StepSequence
from qa_runner.session import Session
from qa_runner.step_runner import StepRunner
from qa_runner.stop import StopToken
from qa_runner.store import RunReader, RunWriter
from qa_runner.summary import reason_for
from qa_runner.table import Table
from qa_runner.targets.approval import Approval
from qa_runner.targets.choose import DEMO, open_target, starts_server
from qa_runner.targets.database_url import DatabaseUrl
from qa_runner.targets.target import Target
from qa_runner.targets.url import only_this_machine
from qa_runner.unreached import keep_unreached
from qa_runner.verdict import Verdict

__all__ = ["Execution", "Finish"]

Finish = Callable[[RunResult, Path], None]
"""Called with a run and its folder when it is over, while the folder is still locked."""

_LOG = logging.getLogger(__name__)


class Execution:
    """Performs the selected steps of a case into ``run``; ``entry`` is its configured target.

    ``approval`` says within what limits it may be loaded; None for the embedded target.
    """

    def __init__(
        self,
        case: ConfiguredCase,
        run: RunResult,
        feed: Feed,
        stop: StopToken,
        *,
        session: int,
        entry: TargetEntry | None = None,
        approval: Approval | None = None,
        database: DatabaseUrl | None = None,
    ) -> None:
        self._case = case
        self._run = run
        self._feed = feed
        self._stop = stop
        self._number = session
        self._entry = entry
        self._approval = approval
        self._database = database
        self._seconds_before = run.duration_seconds
        self._writer: RunWriter | None = None
        self._samples_name = f"samples/preflight-session-{session}.npy"
        self._waiting_samples: list[Table] = []
        # Monitors begin to report, each from its thread, before there is a run folder.
        self._waiting_series: list[tuple[str, Table]] = []
        self._series_order = Lock()
        # None until the target has been looked at.
        self._sources: frozenset[str] | None = None

    def perform(self, folder: Path, finish: Finish, *, cleanup: bool) -> None:
        """Run the selected steps in a new run folder; the outcome is in the run.

        ``folder`` gets a number behind it if it is taken. Raises what
        :meth:`qa_runner.runner.Runner.run` says only before the run folder exists.
        """
        with ExitStack() as lock:

            def create() -> RunWriter:
                writer = lock.enter_context(RunWriter.create(folder))
                self._run.run_id = writer.folder.name
                return writer

            self._guard(lambda stack: self._perform(stack, create, "run", cleanup=cleanup))
            if self._writer is not None:
                finish(self._run, self._writer.folder)

    def perform_again(self, writer: RunWriter, finish: Finish) -> None:
        """Run the selected steps as new attempts in the run folder of ``writer``."""
        self._writer = writer
        log_to(writer.folder)
        stored = RunReader(writer.folder).result()
        self._guard(lambda stack: self._perform(stack, None, "rerun", cleanup=False))
        if not any(a.session == self._number for step in self._run.steps for a in step.attempts):
            # Nothing was measured: the run stays as it was.
            writer.write_result(stored)
            errors = {"interrupted": StopRequested, "stopped": SafetyStop}
            raise errors.get(self._run.status, CouldNotRun)(self._run.stop_reason)
        finish(self._run, writer.folder)

    def _guard(self, perform: Callable[[ExitStack], None]) -> None:
        """Whatever ends it, the record is closed; without a record yet the error goes on."""
        try:
            with ExitStack() as stack:
                perform(stack)
        except StopRequested as stop:
            if self._stop.for_safety:
                self._end("stopped", SafetyStop(self._stop.reason))
            else:
                self._end("interrupted", stop)
        except KeyboardInterrupt:
            self._end("interrupted", StopRequested("by Ctrl-C, twice"))
        except QaRunnerError as error:
            self._end("crashed", error)
        except Exception as error:
            if self._writer is None:
                raise
            _LOG.exception("the run ended with an error of its own")
            self._end("crashed", QaRunnerError(f"internal error: {error!r}"))
        else:
            self._end("finished", None)

    def _perform(
        self,
        stack: ExitStack,
        create: Callable[[], RunWriter] | None,
        reason: str,
        *,
        cleanup: bool,
    ) -> None:
        stored = self._run.target
        # Its log and database are in the run folder.
        if starts_server(stored.name, self._entry) and create is not None:
            self._create(create)
        session = stack.enter_context(
            Session(
                self._case,
                number=self._number,
                run_tag=self._run.tag,
                stop=self._stop,
                clock=self._feed.clock,
                # Asked again: by now the name may lead elsewhere.
                limits=self._approval.limits() if self._approval else None,
            )
        )
        target = stack.enter_context(
            open_target(
                stored.name,
                stored.url,
                stored.faults,
                self._folder,
                entry=self._entry,
                stop=self._stop,
                permit=self._approval.permit if self._approval else only_this_machine,
                database=self._database,
            )
        )
        stack.enter_context(session.watching(target, self._keep_series))
        self._mark_database(session)
        found = self._check(session, target)
        if self._writer is None and create is not None:
            self._create(create)
        self._run.target = TargetResult(
            name=stored.name,
            url=target.url,
            environment=target.environment,
            faults=stored.faults,
            version=target.facts.get("version", ""),
            facts=dict(target.facts),
        )
        self._describe_session(version=self._run.target.version)
        self._stop.check()
        self._calibrate(session)
        # The embedded target tells all.
        inside = set(INSIDE) if target.name == DEMO else found.inside
        self._sources = frozenset(inside | ({"server_log"} if target.log_path else set()))
        self._save()
        instruments = session.instruments(
            target,
            facts=self._run.facts,
            save_samples=self._keep_samples,
            save_health=lambda rows: self._keep_series("generator", rows),
            read_all_samples=RunReader(self._folder).all_samples,
            progress=self._feed.progress,
            mark=self._mark(),
            first_session=max(self._run.mark_session, self._run.cleaned_session + 1),
            complete_loads=self._complete_loads,
        )
        sequence = StepSequence(
            self._case,
            self._run,
            self._feed,
            number=self._number,
            save=self._save,
            use_samples=self._use_samples,
        )
        runner = StepRunner(
            instruments, self._sources, sequence, lambda: _revive(session, instruments)
        )
        self._feed.emit(
            RunStarted(
                self._feed.clock.now(), self._run, str(self._folder), self._expected_seconds()
            )
        )
        try:
            for step in self._case.steps:
                if step.selected:
                    sequence.run_step(runner, step, reason)
            if cleanup:
                self._clean_up(session)
        finally:
            self._keep_notes(session)

    def _create(self, create: Callable[[], RunWriter]) -> None:
        with self._series_order:
            self._writer = create()
            log_to(self._writer.folder)
            self._save()
            for table in self._waiting_samples:
                self._keep_samples(table)
            for name, rows in self._waiting_series:
                self._writer.append_series(name, rows)

    @property
    def _folder(self) -> Path:
        """The run folder; for a target by URL there is none until it has been checked."""
        return self._writer.folder if self._writer is not None else Path()

    def _expected_seconds(self) -> float:
        return sum(
            part.expected_seconds
            for step in self._case.steps
            for part in step.parts
            if part.selected
        )

    # ---------------------------------------------------------------- around the steps

    def _check(self, session: Session, target: Target) -> Preflight:
        """Look at the target before any load; the run is stopped if a rate limit answers already.

        Raises TargetError if the run would be spoilt otherwise.
        """
        found = preflight(
            session,
            target,
            self._keep_samples,
            # The embedded target said itself that it is ready.
            sends=target.name != DEMO,
            load_follows=True,
        )
        self._run.checks += found.results
        for line in found.warnings:
            self._tell(f"warning: {line}")
        if found.limited:
            self._stop.stop(found.limited, for_safety=True)
        else:
            found.refuse()
        return found

    def _calibrate(self, session: Session) -> None:
        """Find out what the load generator itself adds; without that the run goes on."""
        problem = session.calibrate(self._tell)
        self._describe_session(calibration=session.calibration)
        if problem:
            self._run.notes = list(dict.fromkeys([*self._run.notes, problem]))
            self._tell(problem)

    def _describe_session(self, **found: Any) -> None:
        self._run.sessions[-1] = msgspec.structs.replace(self._run.sessions[-1], **found)

    def _tell(self, text: str) -> None:
        self._feed.emit(Notice(self._feed.clock.now(), text))

    def _mark_database(self, session: Session) -> None:
        """Remember what the database held before this run's first request."""
        if session.database is None:
            return
        try:
            # One of the run's own on a server begins anew with each session.
            if self._run.database_mark is None or self._database is not None:
                self._run.database_mark = msgspec.to_builtins(session.database.mark())
                self._run.mark_session = self._number
        except ProbeError as error:
            session.give_up_database(error)

    def _clean_up(self, session: Session) -> None:
        """Remove the rows of this run, as --cleanup asks."""
        if session.database is None:
            self._run.notes.append(f"Nothing was cleaned up: {session.database_reason}.")
            return
        try:
            removed = session.database.cleanup(
                self._run.tag, self._acknowledged_ids(), self._mark()
            )
        except ProbeError as error:
            self._run.notes.append(f"Nothing was cleaned up: {error}.")
            return
        self._run.cleaned_session = self._number
        self._run.cleaned_rows = msgspec.to_builtins(removed)
        listed = ", ".join(f"{count} {role}" for role, count in self._run.cleaned_rows.items())
        self._run.notes.append(f"Cleaned up after the run: removed {listed}.")

    def _mark(self) -> Mark | None:
        stored = self._run.database_mark
        return None if stored is None else msgspec.convert(stored, Mark)

    def _acknowledged_ids(self) -> list[int]:
        """Transaction ids that the target gave out; a row that lost its user is known by it."""
        samples = RunReader(self._folder).all_samples()
        name = self._case.definition.case.transaction_id
        found = (json.loads(text).get(name) for text in samples.text("extracted") if text)
        return [int(value) for value in found if str(value).isdigit()]

    def _complete_loads(self) -> set[str]:
        """Tags of the loads whose every request left a sample."""
        attempts = [attempt for step in self._run.steps for attempt in step.attempts]
        loads = [load for attempt in attempts for part in attempt.parts for load in part.loads]
        return {load.tag for load in loads if load.stop_reason in COMPLETE}

    def _keep_notes(self, session: Session) -> None:
        notes = [note for monitor in session.monitors.values() for note in monitor.notes()]
        self._run.notes = list(dict.fromkeys([*self._run.notes, *notes]))

    def _end(self, status: Status, error: BaseException | None) -> None:
        """Close the record, whatever happened; without a record the error goes on."""
        if self._writer is None and error is not None:
            raise error
        run = self._run
        run.status = status
        run.stop_reason = str(error) if error is not None else ""
        if error is not None:
            keep_unreached(self._case, run, self._sources, self._number)
        run.verdict = run.judge()
        if status == "crashed" and run.verdict is not Verdict.FAIL:
            run.verdict = Verdict.ERROR
        if status in ("interrupted", "stopped") and run.verdict is not Verdict.FAIL:
            run.verdict = Verdict.INCONCLUSIVE
        run.finished = datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")
        run.duration_seconds = self._seconds_before + self._feed.clock.now()
        run.reason = reason_for(run)
        self._redact_log()
        self._save()
        self._feed.emit(RunFinished(self._feed.clock.now(), run))

    def _redact_log(self) -> None:
        """What a server that the run started has printed can be anything."""
        log = self._folder / "server.log"
        try:
            if self._writer is not None and log.is_file():
                redact_file(log, keep=self._run.tag)
        except OutputError as error:
            self._run.notes.append(f"Secrets were not taken out of {log.name}: {error}.")

    # ---------------------------------------------------------------- the store

    def _save(self) -> None:
        if self._writer is None:
            return
        run = self._run
        if run.status == "running":
            # A kill leaves nobody to say what was not reached.
            run = copy.deepcopy(run)
            run.duration_seconds = self._seconds_before + self._feed.clock.now()
            keep_unreached(self._case, run, self._sources, self._number)
        self._writer.write_result(run)

    def _use_samples(self, name: str) -> None:
        self._samples_name = name

    def _keep_samples(self, rows: Table) -> None:
        if self._writer is None:
            self._waiting_samples.append(rows)
        else:
            self._writer.append_samples(self._samples_name, rows)

    def _keep_series(self, name: str, rows: Table) -> None:
        with self._series_order:
            if self._writer is None:
                self._waiting_series.append((name, rows))
            else:
                self._writer.append_series(name, rows)


def _revive(session: Session, instruments: Instruments) -> None:
    session.revive()
    instruments.generator = session.generator
    if instruments.limits is not None:
        # The new process has not counted what the old one sent.
        instruments.limits = instruments.limits.after(instruments.sent)
