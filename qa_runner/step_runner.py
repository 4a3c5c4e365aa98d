"""One attempt of one step: its parts in order, each judged as soon as it is over."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qa_runner import observation
from qa_runner.configure import ConfiguredPart, ConfiguredStep
from qa_runner.context import StepContext
from qa_runner.errors import GeneratorError, StopRequested
from qa_runner.instruments import Instruments
from qa_runner.judging import applicable, judge_all, skipped, spoil, verdict_of
from qa_runner.part_record import PartRecord
from qa_runner.redaction import redact
from qa_runner.result import Attempt, PartResult
from qa_runner.saturation import overworked, saturation, scattered_bursts
from qa_runner.stop import not_finished
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.testcase import Step
from qa_runner.verdict import Verdict, combine

__all__ = ["StepHooks", "StepRunner"]

_LOG = logging.getLogger(__name__)


class StepHooks(Protocol):
    """What the step runner tells its owner."""

    def part_started(self, step: ConfiguredStep, part: ConfiguredPart) -> None:
        """A part begins."""

    def part_finished(self, step: ConfiguredStep, result: PartResult) -> None:
        """A part is judged; time to save."""


@dataclass(slots=True)
class StepRunner:
    """Runs steps with the instruments of a session.

    ``sources`` are the data sources that exist for this target. ``revive`` starts the load
    generator again after it has ended.
    """

    instruments: Instruments
    sources: frozenset[str]
    hooks: StepHooks
    revive: Callable[[], None]

    def run(self, configured: ConfiguredStep, attempt: Attempt, *, whole: bool) -> list[str]:
        """Run the parts into ``attempt``; lines on criteria that are not part of the run.

        ``whole`` runs all parts, else the selected ones. Raises StopRequested after everything
        that was measured is in ``attempt``.
        """
        instance = configured.definition.step()
        parts = [part for part in configured.parts if whole or part.selected]
        records: list[tuple[ConfiguredPart, PartRecord, PartResult]] = []
        excluded: list[str] = []
        try:
            for part in parts:
                self.instruments.stop.check()
                self.hooks.part_started(configured, part)
                record, result, left_out = self._run_part(configured, part, attempt, instance)
                excluded += left_out
                records.append((part, record, result))
                attempt.parts.append(result)
                attempt.verdict = combine(p.verdict for p in attempt.parts)
                self.hooks.part_finished(configured, result)
                self.instruments.stop.check()
        except StopRequested as stop:
            attempt.error = str(stop)
            raise
        finally:
            attempt.end = self.instruments.clock.now()
            partly = "" if whole else configured.left_out
            excluded += self._judge_step(configured, attempt, records, partly)
            if attempt.error and attempt.verdict in (Verdict.PASS, Verdict.SKIPPED):
                attempt.verdict = Verdict.INCONCLUSIVE
        return excluded

    # ---------------------------------------------------------------- a part

    def _run_part(
        self, step: ConfiguredStep, part: ConfiguredPart, attempt: Attempt, instance: Step
    ) -> tuple[PartRecord, PartResult, list[str]]:
        record = PartRecord(
            id=part.definition.id,
            step=step.definition.number,
            attempt=attempt.number,
            start=self.instruments.clock.now(),
        )
        error, stopped = "", ""
        try:
            self.instruments.sample_monitors()
            method = getattr(instance, part.definition.method)
            method(StepContext(self.instruments, record), **part.values)
        except StopRequested as stop:
            # The stop token stays set: the caller goes no further.
            stopped = str(stop)
        except GeneratorError as failure:
            error = str(failure)
            self.revive()
        except (Exception, SystemExit) as failure:  # noqa: BLE001 (a step is anybody's code)
            error = _cause(failure)
            _LOG.exception("part %s failed", record.id)
        self.instruments.sample_monitors()
        end = self.instruments.clock.now()
        criteria, excluded = applicable(part.criteria, self.sources)
        observed = self._observe([record], record.start, end)
        results = judge_all(criteria, observed, f"part-{record.id}")
        if stopped:
            results = spoil(results, Verdict.INCONCLUSIVE, not_finished(stopped))
        elif error:
            results = spoil(results, Verdict.ERROR, f"the part ended with an error: {error}")
        result = PartResult(
            id=record.id,
            title=part.title,
            verdict=verdict_of(results, error) if results or error else Verdict.INCONCLUSIVE,
            start=record.start,
            end=end,
            parameters=list(part.parameters),
            loads=record.loads,
            metrics=record.metrics,
            tables=record.tables,
            windows=record.windows,
            criteria=results,
            notes=record.notes,
            error=error or stopped,
            source=part.definition.source,
        )
        return record, result, excluded

    # ---------------------------------------------------------------- the step

    def _judge_step(
        self,
        step: ConfiguredStep,
        attempt: Attempt,
        records: list[tuple[ConfiguredPart, PartRecord, PartResult]],
        left_out: str,
    ) -> list[str]:
        criteria, excluded = applicable(step.criteria, self.sources)
        counted = [row for row in records if row[0].definition.counts_for_step]
        needed = [part for part in step.parts if part.definition.counts_for_step]
        evidence = f"step-{step.definition.number}"
        if left_out:
            attempt.criteria = skipped(criteria, evidence, left_out)
        # What ended it without a word here leaves them unreached.
        elif counted and (attempt.error or len(counted) == len(needed)):
            observed = self._observe(
                [row[1] for row in counted], counted[0][2].start, counted[-1][2].end
            )
            attempt.criteria = judge_all(criteria, observed, evidence)
            errors = [row[2].error for row in counted if row[2].error]
            if attempt.error:
                why = not_finished(attempt.error)
                attempt.criteria = spoil(attempt.criteria, Verdict.INCONCLUSIVE, why)
            elif errors:
                attempt.criteria = spoil(attempt.criteria, Verdict.ERROR, errors[0])
        attempt.verdict = combine(
            [
                *(part.verdict for part in attempt.parts),
                *(result.verdict for result in attempt.criteria),
            ]
        )
        return excluded

    def _observe(
        self, records: list[PartRecord], start: float, end: float
    ) -> observation.Observation:
        instruments = self.instruments
        series = {name: instruments.series(name) for name in SERIES}
        reasons = {name: monitor.reason for name, monitor in instruments.monitors.items()}
        if instruments.database is None:
            reasons["database"] = instruments.database_reason
        if "log" not in instruments.monitors:
            reasons["log"] = "the server's log is not known"
        samples = Table.concatenate(SAMPLES, [record.judged_samples() for record in records])
        loads = [load for record in records for load in record.loads if load.role == "main"]
        return observation.Observation(
            samples=samples,
            start=start,
            end=end,
            series=series,
            reasons=reasons,
            metrics=instruments.metrics,
            windows={window.name: window for record in records for window in record.windows},
            recorded={
                (metric.name, metric.tag): metric for record in records for metric in record.metrics
            },
            log_known="log" in instruments.monitors and not reasons["log"],
            saturated=saturation(series["generator"], start, end)
            or next(filter(None, map(overworked, loads)), ""),
            scattered=scattered_bursts(
                samples, {load.number: load.burst for load in loads if load.burst}
            ),
            cautions=tuple(load.caution for load in loads if load.caution),
            calibration=instruments.calibration,
        )


def _cause(error: BaseException) -> str:
    """What was raised and where, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    said = redact(" ".join(str(error).split())) or "no message"
    return f"{type(error).__name__}: {said}{where}"
