"""One session of one run: set up, steps in order, orderly end; everything saved on the way."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from qa_runner.configure import ConfiguredCase, ConfiguredPart, ConfiguredStep
from qa_runner.errors import OutputError, ProbeError, QaRunnerError, StopRequested
from qa_runner.events import (
    Notice,
    PartFinished,
    PartStarted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from qa_runner.feed import Feed
from qa_runner.instruments import Instruments
from qa_runner.monitors.database_result import Mark
from qa_runner.preflight import preflight
from qa_runner.result import Attempt, PartResult, RunResult, Status, StepResult, TargetResult
from qa_runner.session import Session
from qa_runner.step_runner import StepRunner
from qa_runner.stop import StopToken
from qa_runner.store import RunReader, RunWriter
from qa_runner.summary import reason_for
from qa_runner.table import Table
from qa_runner.targets.choose import DEMO, open_target
from qa_runner.verdict import Verdict

__all__ = ["Execution"]

_LOG = logging.getLogger(__name__)


class Execution:
    """Performs the selected steps of a case into ``run``."""

    def __init__(
        self, case: ConfiguredCase, run: RunResult, feed: Feed, stop: StopToken, *, session: int
    ) -> None:
        self._case = case
        self._run = run
        self._feed = feed
        self._stop = stop
        self._number = session
        self._seconds_before = run.duration_seconds
        self._writer: RunWriter | None = None
        self._samples_name = f"samples/preflight-session-{session}.csv"
        self._waiting_samples: list[Table] = []

    def perform(self, folder: Path, *, reason: str, fresh: bool, cleanup: bool) -> None:
        """Run the selected steps; the outcome is in the run, also when it ends early.

        Raises what :meth:`qa_runner.runner.Runner.run` says only before the run folder exists.
        """
        try:
            with ExitStack() as stack:
                self._perform(stack, folder, reason=reason, fresh=fresh, cleanup=cleanup)
        except StopRequested as stop:
            self._end("interrupted", stop)
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
        self, stack: ExitStack, folder: Path, *, reason: str, fresh: bool, cleanup: bool
    ) -> None:
        stored = self._run.target
        embedded = stored.name == DEMO
        if not fresh:
            self._writer = stack.enter_context(RunWriter.open(folder))
        elif embedded:
            self._create(stack, folder)
        session = stack.enter_context(
            Session(
                self._case,
                number=self._number,
                run_tag=self._run.tag,
                stop=self._stop,
                clock=self._feed.clock,
            )
        )
        target = stack.enter_context(open_target(stored.name, stored.url, stored.faults, folder))
        # The embedded target said itself that it is ready.
        timing = not embedded and preflight(session, target, self._keep_samples)
        if self._writer is None:
            self._create(stack, folder)
        self._run.target = TargetResult(
            name=stored.name,
            url=target.url,
            environment=target.environment,
            faults=stored.faults,
            version=target.facts.get("version", ""),
            facts=dict(target.facts),
        )
        stack.enter_context(session.watching(target, self._keep_series))
        self._mark_database(session)
        sources = {"server_log"} if target.log_path else set()
        if timing:
            sources.add("server_timing")
        self._save()
        instruments = session.instruments(
            target,
            facts=self._run.facts,
            save_samples=self._keep_samples,
            save_health=lambda rows: self._keep_series("generator", rows),
            read_all_samples=RunReader(folder).all_samples,
            progress=self._feed.progress,
            mark=self._mark(),
            cleaned_session=self._run.cleaned_session,
        )
        runner = StepRunner(
            instruments, frozenset(sources), self, lambda: _revive(session, instruments)
        )
        self._feed.emit(
            RunStarted(self._feed.clock.now(), self._run, str(folder), self._expected_seconds())
        )
        try:
            for step in self._case.steps:
                if step.selected:
                    self._run_step(runner, step, reason)
            if cleanup:
                self._clean_up(session, folder)
        finally:
            self._keep_notes(session)

    def _create(self, stack: ExitStack, folder: Path) -> None:
        self._writer = stack.enter_context(RunWriter.create(folder))
        self._save()
        for table in self._waiting_samples:
            self._keep_samples(table)

    def _expected_seconds(self) -> float:
        return sum(
            part.expected_seconds
            for step in self._case.steps
            for part in step.parts
            if part.selected
        )

    # ---------------------------------------------------------------- steps

    def _run_step(self, runner: StepRunner, step: ConfiguredStep, reason: str) -> None:
        self._measure_prerequisites(runner, step)
        # A step that somebody needed first and that was asked for too has run already.
        result = self._result(step)
        if result.latest is None or result.latest.session != self._number:
            self._attempt(runner, step, reason, whole=False)

    def _measure_prerequisites(self, runner: StepRunner, step: ConfiguredStep) -> None:
        known = {fact.name for fact in self._run.facts}
        for name in step.definition.requires:
            if name in known:
                continue
            provider = next(s for s in self._case.steps if name in s.definition.provides)
            needed = f"step {step.definition.number} needs the {name}"
            self._feed.emit(
                Notice(
                    self._feed.clock.now(),
                    f"{needed}: step {provider.definition.number} is run first",
                )
            )
            self._run.notes.append(
                f"Step {provider.definition.number} was run first, because {needed}."
            )
            self._attempt(runner, provider, f"prerequisite: {needed}", whole=True)

    def _attempt(
        self, runner: StepRunner, step: ConfiguredStep, reason: str, *, whole: bool
    ) -> None:
        definition, result = step.definition, self._result(step)
        clock = self._feed.clock
        number = len(result.attempts) + 1
        name = f"samples/step-{definition.number}-attempt-{number}.csv"
        attempt = Attempt(
            number=number,
            session=self._number,
            started=datetime.now(UTC).astimezone().isoformat(timespec="milliseconds"),
            verdict=Verdict.INCONCLUSIVE,
            start=clock.now(),
            end=clock.now(),
            reason=reason,
            samples=name,
        )
        result.attempts.append(attempt)
        self._samples_name = name
        facts_before = len(self._run.facts)
        self._feed.emit(StepStarted(clock.now(), definition.number, definition.title, number))
        try:
            excluded = runner.run(step, attempt, whole=whole)
            self._run.excluded = list(dict.fromkeys([*self._run.excluded, *excluded]))
        finally:
            result.verdict = attempt.verdict
            result.stale = ""
            if number > 1 and len(self._run.facts) > facts_before:
                self._mark_stale(definition.number, definition.provides)
            self._save()
            self._feed.emit(StepFinished(clock.now(), result))

    def _mark_stale(self, number: int, provided: tuple[str, ...]) -> None:
        """Steps that were judged with facts which have been measured anew."""
        for other in self._case.steps:
            used = set(other.definition.requires) & set(provided)
            result = self._result(other)
            if used and result.attempts and other.definition.number != number:
                result.stale = (
                    f"judged with the {', '.join(sorted(used))} of before step {number} was rerun"
                )

    def _result(self, step: ConfiguredStep) -> StepResult:
        return next(r for r in self._run.steps if r.number == step.definition.number)

    def part_started(self, step: ConfiguredStep, part: ConfiguredPart) -> None:
        """Tell that a part begins."""
        definition = part.definition
        self._feed.emit(
            PartStarted(
                self._feed.clock.now(),
                step.definition.number,
                definition.id,
                definition.title,
                part.expected_seconds,
            )
        )

    def part_finished(self, step: ConfiguredStep, result: PartResult) -> None:
        """Save what the part found, and tell."""
        self._save()
        self._feed.emit(PartFinished(self._feed.clock.now(), step.definition.number, result))

    # ---------------------------------------------------------------- around the steps

    def _mark_database(self, session: Session) -> None:
        """Remember what the database held before this run's first request."""
        if session.database is None:
            return
        try:
            if self._run.database_mark is None:
                self._run.database_mark = msgspec.to_builtins(session.database.mark())
        except ProbeError as error:
            session.give_up_database(error)

    def _clean_up(self, session: Session, folder: Path) -> None:
        """Remove the rows of this run, as --cleanup asks."""
        if session.database is None:
            self._run.notes.append(f"Nothing was cleaned up: {session.database_reason}.")
            return
        try:
            removed = session.database.cleanup(
                self._run.tag, self._acknowledged_ids(folder), self._mark()
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

    def _acknowledged_ids(self, folder: Path) -> list[int]:
        """Transaction ids that the target gave out; a row that lost its user is known by it."""
        samples = RunReader(folder).all_samples()
        found = (
            json.loads(text).get("transaction_id") for text in samples.text("extracted") if text
        )
        return [int(value) for value in found if str(value).isdigit()]

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
        run.verdict = run.judge()
        if status == "crashed" and run.verdict is not Verdict.FAIL:
            run.verdict = Verdict.ERROR
        if status == "interrupted" and run.verdict is not Verdict.FAIL:
            run.verdict = Verdict.INCONCLUSIVE
        run.finished = datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")
        run.duration_seconds = self._seconds_before + self._feed.clock.now()
        run.reason = reason_for(run)
        self._save()
        self._feed.emit(RunFinished(self._feed.clock.now(), run))

    # ---------------------------------------------------------------- the store

    def _save(self) -> None:
        if self._writer is not None:
            self._writer.write_result(self._run)

    def _keep_samples(self, rows: Table) -> None:
        if self._writer is None:
            self._waiting_samples.append(rows)
        else:
            self._writer.append_samples(self._samples_name, rows)

    def _keep_series(self, name: str, rows: Table) -> None:
        if self._writer is None:
            raise OutputError(f"the series {name} came before the run folder")
        self._writer.append_series(name, rows)


def _revive(session: Session, instruments: Instruments) -> None:
    session.revive()
    instruments.generator = session.generator
