"""Hands the loads of a part to the generator, and takes in what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qa_runner.errors import CouldNotRun
from qa_runner.headroom import near_capacity
from qa_runner.instruments import Instruments
from qa_runner.load.demand import refusal
from qa_runner.load.handle import TOO_MANY_SAMPLES
from qa_runner.load.plan import (
    Burst,
    LoadPlan,
    Outcome,
    RequestTemplate,
    Shape,
    body_text,
    describe,
)
from qa_runner.load.process import LoadHandle
from qa_runner.load.target_headers import addressed, masked
from qa_runner.part_record import PartRecord
from qa_runner.protection.destination import is_target
from qa_runner.redaction import redact
from qa_runner.result import LoadResult
from qa_runner.table import Table

__all__ = ["COMPLETE", "POLL_SECONDS", "Connections", "LoadOutcome", "Sending", "Sent"]

Connections = Literal["new", "keep-alive"]

POLL_SECONDS = 0.1
COMPLETE = ("", "stopped", TOO_MANY_SAMPLES)
"""Stop reasons of loads whose every request left a sample."""


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a load came to. ``samples`` has the columns of :data:`qa_runner.table.SAMPLES`."""

    samples: Table
    start: float
    end: float

    @property
    def succeeded(self) -> int:
        """Number of successes."""
        return int(self.samples.text_equals("outcome", str(Outcome.SUCCESS)).sum())

    @property
    def last_finished(self) -> float:
        """When the last request was finished, in seconds on the session's clock."""
        finished = self.samples.number("finished")
        known = finished[np.isfinite(finished)]
        return float(known.max()) if known.size else self.end

    def response_times(self) -> list[float]:
        """Seconds from due to finished, of the successes in the order in which they were due."""
        done = self.samples.where(self.samples.text_equals("outcome", str(Outcome.SUCCESS)))
        return [float(value) for value in done.number("finished") - done.number("due")]


@dataclass(eq=False, slots=True)
class Sent:
    """A load that was handed to the generator."""

    handle: LoadHandle
    start: float
    cpu_before: float | None
    """CPU seconds that the generator had used until then."""

    def cpu_percent(self, cpu_after: float | None, end: float) -> float | None:
        """Of the generator, in percent of a core, up to ``end``."""
        if self.cpu_before is None or cpu_after is None or end <= self.start:
            return None
        return 100 * (cpu_after - self.cpu_before) / (end - self.start)


class Sending:
    """The loads of one part. ``tag`` goes into the field {tag} of each."""

    def __init__(self, instruments: Instruments, record: PartRecord, tag: str) -> None:
        self._instruments = instruments
        self._record = record
        self._tag = tag
        self._under_way: list[Sent] = []

    def submit(
        self,
        shape: Shape,
        request: RequestTemplate,
        role: str,
        timeout: float,
        connections: Connections,
    ) -> Sent:
        """Start a load; a relative URL is the target's. Raises StopRequested, GeneratorError.

        The run is stopped if the load is more than the target's environment permits. Raises
        UsageError if it would go to another machine than the target's.
        """
        instruments = self._instruments
        self._protect(shape)
        instruments.stop.check()
        number = instruments.next_load()
        request = addressed(request, instruments.url, instruments.headers)
        to_target = is_target(request.url, instruments.url)
        plan = LoadPlan(
            number=number,
            shape=shape,
            request=request,
            tag=f"{self._tag}-{number}",
            timeout_seconds=timeout,
            # As with curl's --max-time, connecting is part of it.
            connect_timeout_seconds=timeout,
            connections=connections,
            verify_tls=instruments.verify_tls,
            # What a step sends to this machine itself has nothing to do with the target's.
            limits=instruments.limits if to_target else None,
        )
        cpu = instruments.generator.cpu_seconds()
        handle = instruments.generator.submit(plan, part=self._record.id, role=role)
        sent = Sent(handle, instruments.clock.now(), cpu)
        self._under_way.append(sent)
        return sent

    def _protect(self, shape: Shape) -> None:
        limits = self._instruments.limits
        excess = refusal(shape, limits) if limits is not None else ""
        if excess:
            reason = f"part {self._record.id} asks for {excess}"
            self._instruments.stop.stop(reason, for_safety=True)

    def finish(self, sent: Sent) -> LoadOutcome:
        """Take rows in until the load is finished, and record what it came to.

        Raises StopRequested if the run is stopped meanwhile, CouldNotRun if there were more
        requests than samples can be kept of; what was measured is recorded.
        """
        instruments = self._instruments
        handle = sent.handle
        try:
            while not handle.finished:
                if instruments.stop.event.is_set():
                    handle.stop()
                instruments.poll(POLL_SECONDS)
                self.take()
                if handle.role != "probe":
                    instruments.progress(handle)
        finally:
            self.take()
            self._under_way.remove(sent)
            outcome = LoadOutcome(
                samples=self._record.load_samples(handle.number),
                start=sent.start,
                end=instruments.clock.now(),
            )
            cpu = sent.cpu_percent(instruments.generator.cpu_seconds(), outcome.end)
            self._record.loads.append(_load_result(handle, outcome, cpu, instruments))
        instruments.stop.check()
        if handle.stop_reason == TOO_MANY_SAMPLES:
            raise CouldNotRun(f"load {handle.number} was {TOO_MANY_SAMPLES}")
        return outcome

    def take(self) -> None:
        """Move the rows that have arrived for any load under way to the record and to disk."""
        for sent in self._under_way:
            rows = sent.handle.take()
            if len(rows):
                self._record.add(rows)
                self._instruments.sent += len(rows)
                self._instruments.save_samples(rows)


def _load_result(
    handle: LoadHandle,
    outcome: LoadOutcome,
    cpu_percent: float | None,
    instruments: Instruments,
) -> LoadResult:
    plan = handle.plan
    request = plan.request
    headers = masked(request.headers, instruments.headers)
    head = [f"{request.method} {request.url}", *(f"{k}: {v}" for k, v in headers)]
    return LoadResult(
        number=plan.number,
        role=handle.role,
        tag=plan.tag,
        shape=describe(plan.shape),
        request=redact("\n".join([*head, "", body_text(request.body)]), keep=instruments.run_tag),
        connections=plan.connections,
        timeout_seconds=plan.timeout_seconds,
        start=outcome.start,
        end=outcome.end,
        outcomes=dict(sorted(outcome.samples.counts("outcome").items())),
        stop_reason=handle.stop_reason,
        generator_cpu_percent=cpu_percent,
        burst=plan.shape.requests if isinstance(plan.shape, Burst) else 0,
        caution=near_capacity(
            outcome.samples, plan.connections, instruments.calibration, cpu_percent
        ),
    )
