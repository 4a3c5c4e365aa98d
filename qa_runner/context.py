"""All that a step may touch: send load, read monitors and database, record what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from qa_runner.errors import CouldNotRun, ProbeError, UsageError
from qa_runner.instruments import Instruments
from qa_runner.load.plan import ConstantArrivalRate, RequestTemplate, Sequential, Shape
from qa_runner.monitors.database import DatabaseProbe
from qa_runner.monitors.database_result import Integrity, Violations
from qa_runner.monitors.process import ServerMonitor
from qa_runner.monitors.system import SystemMonitor
from qa_runner.part_record import PartRecord
from qa_runner.redaction import mask_known
from qa_runner.result import DataTable, Fact, RecordedMetric, Window
from qa_runner.sending import COMPLETE, POLL_SECONDS, Connections, LoadOutcome, Sending
from qa_runner.table import Table

__all__ = ["StepContext"]

Row = Sequence[str | int | float | bool | None]

_ENDLESS_SECONDS = 86_400.0


class StepContext:
    """Given to every part. Its calls happen in the order in which the author wrote them.

    All waiting heeds the stop token: it raises StopRequested, which a step must let through.
    """

    def __init__(self, instruments: Instruments, record: PartRecord) -> None:
        self._instruments = instruments
        self._record = record
        self._sending = Sending(instruments, record, self.tag)

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
        return self._sending.finish(
            self._sending.submit(shape, request, role, timeout, connections)
        )

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
        sent = self._sending.submit(shape, request, role, timeout, "new")
        try:
            yield
        finally:
            if stop_at_exit:
                sent.handle.stop()
            self._sending.finish(sent)

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
            self._instruments.poll(min(left, POLL_SECONDS))
            self._sending.take()
            self._instruments.stop.check()

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

    def failed(self, name: str, reason: str, *, tag: str = "", note: str = "") -> None:
        """Say what came in place of what the metric is of: its criteria FAIL, without a value."""
        self._keep(name, tag=tag, value=None, failed=True, reason=reason, note=note)

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
        failed: bool = False,
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
                failed=failed,
                reason=mask_known(reason),
                note=mask_known(note),
            )
        )

    def note(self, text: str) -> None:
        """Something the reader of the report should know."""
        self._record.notes.append(mask_known(text))

    def table(self, name: str, title: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Facts as a table for the report."""
        shown = [[mask_known(c) if isinstance(c, str) else c for c in row] for row in rows]
        self._record.tables.append(
            DataTable(name=name, title=title, columns=list(columns), rows=shown)
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

    def complete_loads(self) -> set[str]:
        """Tags of the loads of this run whose every request left a sample."""
        own = {load.tag for load in self._record.loads if load.stop_reason in COMPLETE}
        return own | self._instruments.complete_loads()

    def run_samples(self) -> Table:
        """The samples of all steps, attempts and sessions of this run whose rows should be there.

        Left out are sessions from before the database was first seen, and sessions at whose end
        the rows were cleaned up.
        """
        samples = self._instruments.read_all_samples()
        return samples.where(samples.number("session") >= self._instruments.first_session)
