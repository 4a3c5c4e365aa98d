"""All that a step may touch: send load, read monitors and database, record what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np

from qa_runner.clock import Clock
from qa_runner.errors import CouldNotRun, ProbeError, UsageError
from qa_runner.load.plan import (
    ConstantArrivalRate,
    LoadPlan,
    Outcome,
    RequestTemplate,
    Sequential,
    Shape,
    describe,
)
from qa_runner.load.process import GeneratorProcess, LoadHandle
from qa_runner.metric import Metric
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.database_result import Integrity, Mark, Violations
from qa_runner.monitors.monitor import Monitor
from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.system import SystemMonitor
from qa_runner.redaction import redact
from qa_runner.result import DataTable, Fact, LoadResult, RecordedMetric, Window
from qa_runner.stop import StopToken
from qa_runner.table import SAMPLES, SERIES, Table

__all__ = ["Instruments", "LoadOutcome", "PartRecord", "StepContext"]

Row = Sequence[str | int | float | bool | None]
Connections = Literal["new", "keep-alive"]

_POLL_SECONDS = 0.1
_ENDLESS_SECONDS = 86_400.0


@dataclass(slots=True)
class Instruments:
    """What a session lends to its steps."""

    clock: Clock
    session: int
    url: str
    run_tag: str
    generator: GeneratorProcess
    monitors: Mapping[str, Monitor]
    database: DatabaseProbe | None
    database_reason: str
    stop: StopToken
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    facts: list[Fact]
    target_facts: Mapping[str, str]
    save_samples: Callable[[Table], None]
    read_all_samples: Callable[[], Table]
    save_health: Callable[[Table], None]
    progress: Callable[[LoadHandle], None]
    next_load: Callable[[], int]
    mark: Mark | None
    cleaned_session: int
    generator_health: list[Table] = field(default_factory=list)

    def poll(self, seconds: float) -> None:
        """Take in what the generator reports, waiting up to ``seconds`` for it.

        Raises GeneratorError if it has ended.
        """
        self.generator.poll(seconds)
        health = self.generator.health()
        if len(health):
            self.generator_health.append(health)
            self.save_health(health)

    def sample_monitors(self) -> None:
        """One reading of each monitor now, so that a window has a value at its edge."""
        for monitor in self.monitors.values():
            monitor.sample_now()

    def series(self, name: str) -> Table:
        """What a monitor saw in this session so far."""
        if name == "generator":
            return Table.concatenate(SERIES["generator"], self.generator_health)
        if name == "database":
            return self.database.rows() if self.database else Table(SERIES["database"])
        monitor = self.monitors.get(name)
        return monitor.rows() if monitor else Table(SERIES[name])


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a load came to. ``samples`` has the columns of :data:`qa_runner.table.SAMPLES`."""

    samples: Table
    start: float
    end: float

    @property
    def succeeded(self) -> int:
        """Number of successes."""
        return self.samples.text("outcome").count(str(Outcome.SUCCESS))

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
class _Sent:
    """A load that was handed to the generator, with the rows that came back so far."""

    handle: LoadHandle
    start: float
    samples: list[Table] = field(default_factory=list)


@dataclass(slots=True)
class PartRecord:
    """What a part gathers while it runs; the runner turns it into a result."""

    id: str
    step: int
    attempt: int
    start: float
    loads: list[LoadResult] = field(default_factory=list)
    samples: list[Table] = field(default_factory=list)
    metrics: list[RecordedMetric] = field(default_factory=list)
    tables: list[DataTable] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def judged_samples(self) -> Table:
        """Those of the load that is judged, not of probes and follow-ups."""
        everything = Table.concatenate(SAMPLES, self.samples)
        return everything.where(everything.text_equals("role", "main"))


class StepContext:
    """Given to every part. Its calls happen in the order in which the author wrote them.

    All waiting heeds the stop token: it raises StopRequested, which a step must let through.
    """

    def __init__(self, instruments: Instruments, record: PartRecord) -> None:
        self._instruments = instruments
        self._record = record
        self._under_way: list[_Sent] = []

    # ---------------------------------------------------------------- facts

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of the case."""
        return self._instruments.parameters

    @property
    def tag(self) -> str:
        """Of this run, session and part; in names and e-mail addresses that must be new."""
        words = (self.run_tag, f"s{self._instruments.session}", f"p{self._record.id}")
        return "-".join(words)

    @property
    def run_tag(self) -> str:
        """Part of everything that this run creates in the target."""
        return self._instruments.run_tag

    @property
    def target_facts(self) -> Mapping[str, str]:
        """What is known of the target from its start."""
        return self._instruments.target_facts

    def now(self) -> float:
        """Seconds on the session's clock."""
        return self._instruments.clock.now()

    def fact(self, name: str) -> Mapping[str, float]:
        """What an earlier step provided; the latest where several did.

        Raises CouldNotRun if none did.
        """
        for fact in reversed(self._instruments.facts):
            if fact.name == name:
                return fact.values
        raise CouldNotRun(f"no step of this run has measured the {name}")

    def provide(self, name: str, **values: float) -> None:
        """Keep a fact in the run, for later steps and reruns.

        Providing it again in the same attempt replaces it.
        """
        fact = Fact(name=name, step=self._record.step, attempt=self._record.attempt, values=values)
        facts = self._instruments.facts
        facts[:] = [
            old
            for old in facts
            if (old.name, old.step, old.attempt) != (name, fact.step, fact.attempt)
        ]
        facts.append(fact)

    # ---------------------------------------------------------------- load

    def load(
        self,
        shape: Shape,
        request: RequestTemplate,
        *,
        role: str = "main",
        timeout: float = 10.0,
        connections: Connections = "new",
    ) -> LoadOutcome:
        """Send a load and wait until every request has its outcome.

        Only ``role`` "main" is judged by the part's criteria; others stand beside it.
        """
        return self._await(self._submit(shape, request, role, timeout, connections))

    def request(
        self,
        request: RequestTemplate,
        *,
        role: str = "follow-up",
        timeout: float = 10.0,
        connections: Connections = "new",
    ) -> LoadOutcome:
        """Send one request and wait for its outcome."""
        return self.load(
            Sequential(requests=1), request, role=role, timeout=timeout, connections=connections
        )

    @contextmanager
    def alongside(
        self,
        shape: Shape,
        request: RequestTemplate,
        *,
        role: str = "main",
        timeout: float = 10.0,
        stop_at_exit: bool = False,
    ) -> Iterator[None]:
        """Send a load beside the block; at its end the load is awaited, or stopped."""
        sent = self._submit(shape, request, role, timeout, "new")
        try:
            yield
        finally:
            if stop_at_exit:
                sent.handle.stop()
            self._await(sent)

    @contextmanager
    def probe(
        self, request: RequestTemplate, *, every: float = 1.0, timeout: float = 10.0
    ) -> Iterator[None]:
        """Send single requests, ``every`` seconds, beside the block; they are not judged."""
        shape = ConstantArrivalRate(
            rate=1 / every, duration_seconds=_ENDLESS_SECONDS, max_in_flight=1
        )
        with self.alongside(shape, request, role="probe", timeout=timeout, stop_at_exit=True):
            yield

    def sleep(self, seconds: float) -> None:
        """Wait; what loads beside it report is taken in meanwhile."""
        self.sleep_until(self.now() + seconds)

    def sleep_until(self, time: float) -> None:
        """Wait until ``time`` on the session's clock."""
        while (left := time - self.now()) > 0:
            self._instruments.poll(min(left, _POLL_SECONDS))
            self._take()
            self._instruments.stop.check()

    def _submit(
        self,
        shape: Shape,
        request: RequestTemplate,
        role: str,
        timeout: float,
        connections: Connections,
    ) -> _Sent:
        instruments = self._instruments
        instruments.stop.check()
        number = instruments.next_load()
        if "://" not in request.url:
            request = msgspec.structs.replace(request, url=instruments.url + request.url)
        plan = LoadPlan(
            number=number,
            shape=shape,
            request=request,
            tag=f"{self.tag}-{number}",
            timeout_seconds=timeout,
            connections=connections,
        )
        handle = instruments.generator.submit(
            plan, part=self._record.id, role=role, session=instruments.session
        )
        sent = _Sent(handle, self.now())
        self._under_way.append(sent)
        return sent

    def _await(self, sent: _Sent) -> LoadOutcome:
        """Take rows in until the load is finished, and record what it came to.

        Raises StopRequested if the run is stopped meanwhile; what was measured is recorded.
        """
        instruments = self._instruments
        handle = sent.handle
        try:
            while not handle.finished:
                if instruments.stop.event.is_set():
                    handle.stop()
                instruments.poll(_POLL_SECONDS)
                self._take()
                if handle.role == "main":
                    instruments.progress(handle)
        finally:
            self._take()
            self._under_way.remove(sent)
            outcome = LoadOutcome(
                samples=Table.concatenate(SAMPLES, sent.samples), start=sent.start, end=self.now()
            )
            self._record.loads.append(_load_result(handle, outcome, self.run_tag))
        instruments.stop.check()
        return outcome

    def _take(self) -> None:
        """Move the rows that have arrived for any load under way to the record and to disk."""
        for sent in self._under_way:
            rows = sent.handle.take()
            if len(rows):
                sent.samples.append(rows)
                self._record.samples.append(rows)
                self._instruments.save_samples(rows)

    # ---------------------------------------------------------------- what is found

    def record(
        self, name: str, value: float, *, tag: str = "", beyond: bool = False, note: str = ""
    ) -> None:
        """Record a metric in its base unit; ``beyond`` means worse than ``value``.

        Raises UsageError for a metric that the case does not know.
        """
        self._keep(name, tag=tag, value=float(value), beyond=beyond, note=note)

    def not_measured(self, name: str, reason: str, *, tag: str = "") -> None:
        """Say why a metric could not be measured: its criteria are INCONCLUSIVE."""
        self._keep(name, tag=tag, value=None, reason=reason)

    @contextmanager
    def measuring(self, *names: str) -> Iterator[None]:
        """If what the block needs cannot be had, these metrics are not measured, with the reason.

        Covers the database and monitors (CouldNotRun), not mistakes of the step.
        """
        try:
            yield
        except CouldNotRun as error:
            for name in names:
                if not any(metric.name == name for metric in self._record.metrics):
                    self.not_measured(name, str(error))

    def _keep(
        self,
        name: str,
        *,
        tag: str,
        value: float | None,
        beyond: bool = False,
        reason: str = "",
        note: str = "",
    ) -> None:
        metric = self._instruments.metrics.get(name)
        if metric is None:
            raise UsageError(f"the step records '{name}', which is no metric of the case")
        self._record.metrics.append(
            RecordedMetric(
                name=name,
                value=value,
                unit=str(metric.unit),
                tag=tag,
                beyond=beyond,
                reason=reason,
                note=note,
            )
        )

    def note(self, text: str) -> None:
        """Something the reader of the report should know."""
        self._record.notes.append(text)

    def table(self, name: str, title: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Facts as a table for the report."""
        self._record.tables.append(
            DataTable(
                name=name, title=title, columns=list(columns), rows=[list(row) for row in rows]
            )
        )

    def window(self, name: str, start: float, end: float) -> None:
        """Name a stretch of time; criteria read series over it as ``metric{name}``."""
        self._record.windows.append(Window(name=name, start=start, end=end))

    # ---------------------------------------------------------------- monitors

    @property
    def server(self) -> ServerMonitor:
        """The monitor of the server's process tree."""
        monitor = self._instruments.monitors["server"]
        assert isinstance(monitor, ServerMonitor)  # noqa: S101 (a session starts it as such)
        return monitor

    @property
    def system(self) -> SystemMonitor:
        """The monitor of the machine."""
        monitor = self._instruments.monitors["system"]
        assert isinstance(monitor, SystemMonitor)  # noqa: S101
        return monitor

    @property
    def database(self) -> DatabaseProbe:
        """The database probe.

        Raises ProbeError with the reason and the remedy if there is none.
        """
        if self._instruments.database is None:
            raise ProbeError(self._instruments.database_reason)
        return self._instruments.database

    def integrity(self) -> Integrity:
        """What is stored, and what is wrong with it, of all that this run created.

        Raises ProbeError if the database cannot be read.
        """
        return self.database.integrity(self.run_tag, self._instruments.mark)

    @property
    def database_before(self) -> Violations:
        """What was wrong in the whole tables before this run's first request."""
        mark = self._instruments.mark
        return mark.before if mark else Violations()

    def sample_monitors(self) -> None:
        """One reading of every monitor now."""
        self._instruments.sample_monitors()

    def series(self, name: str, start: float, end: float) -> Table:
        """A monitor's readings of this session between two times."""
        return self._instruments.series(name).between(start, end)

    def samples(self) -> Table:
        """The judged samples of this part so far."""
        return self._record.judged_samples()

    def run_samples(self) -> Table:
        """The samples of all steps, attempts and sessions of this run whose rows should be there.

        Those of sessions at whose end the rows were cleaned up are left out.
        """
        samples = self._instruments.read_all_samples()
        return samples.where(samples.number("session") > self._instruments.cleaned_session)


def _load_result(handle: LoadHandle, outcome: LoadOutcome, run_tag: str) -> LoadResult:
    plan = handle.plan
    request = plan.request
    head = [f"{request.method} {request.url}", *(f"{k}: {v}" for k, v in request.headers)]
    return LoadResult(
        number=plan.number,
        role=handle.role,
        tag=plan.tag,
        shape=describe(plan.shape),
        request=redact("\n".join([*head, "", request.body]), keep=run_tag),
        connections=plan.connections,
        timeout_seconds=plan.timeout_seconds,
        start=outcome.start,
        end=outcome.end,
        outcomes=dict(sorted(Counter(outcome.samples.text("outcome")).items())),
        stop_reason=handle.stop_reason,
    )
