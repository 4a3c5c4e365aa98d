"""The database probe as the run sees it: asks the process that works inside the project."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from qa_runner.clock import Clock
from qa_runner.errors import ProbeError
from qa_runner.monitors.database_load import OwnLoad, SinceStart, least_interval
from qa_runner.monitors.database_result import (
    DatabaseInfo,
    DatabaseRead,
    DatabaseState,
    EndpointFacts,
    Integrity,
    LockWait,
    Mark,
    ProjectFacts,
    Removed,
)
from qa_runner.monitors.monitor import Monitor, Row, Sink
from qa_runner.monitors.probe_process import ProbeLost, ProbeProcess, SettingsOnly
from qa_runner.monitors.project import DjangoProject
from qa_runner.redaction import redact

__all__ = ["PROBE_START_SECONDS", "DatabaseProbe"]

PROBE_START_SECONDS = 20.0
"""How long a project may take to be opened."""

_Result = TypeVar("_Result")

# What the probe itself takes at most, as a share of the time in which it has to answer.
_SHARE = 0.8
_MOST_WAITS = 10_000


class DatabaseProbe(Monitor):
    """The series "database", and questions about what is stored.

    ``models`` maps the roles "transactions", "users" and "balances" to ``app.Model``, or to
    ``app.Model.field`` where a model has several relations to the users. ``intent_field`` is the
    transactions' field with the payment intent id.

    Every question has ``request_limit_seconds``; a probe that does not answer, or has ended, is
    started again once; the second time it is given up, and ``reason`` says so. Questions and
    samples take turns. All questions raise ProbeError with one line.

    A database that is slow to read is read less often than every ``interval_seconds``, so that
    the probe works for half of the time at most.
    """

    name = "database"
    interval_seconds = 1.0

    def __init__(
        self,
        project: DjangoProject,
        models: Mapping[str, str],
        intent_field: str,
        *,
        start_limit_seconds: float = PROBE_START_SECONDS,
        request_limit_seconds: float = 10.0,
    ) -> None:
        super().__init__()
        self._start_limit = start_limit_seconds
        self._request_limit = request_limit_seconds
        self._process = ProbeProcess(
            project,
            {
                "models": dict(models),
                "intent_field": intent_field,
                "limit_seconds": request_limit_seconds * _SHARE,
            },
        )
        self._restarted = False
        self._started = False
        # The highest primary keys when the session began: what came after was added by it.
        self._position: dict[str, int] = {}
        self._counts = SinceStart()
        self._waits: deque[tuple[float, LockWait]] = deque(maxlen=_MOST_WAITS)
        self._asked_interval = self.interval_seconds

    @property
    def pid(self) -> int | None:
        """The probe's process, None while it does not run."""
        return self._process.pid

    def start(self, clock: Clock, session: int, sink: Sink) -> None:
        """Open the project and begin to sample.

        Raises ProbeError, in one line with the remedy, if the interpreter, the settings, Django,
        a model or the database is not there, or if the project exits or hangs when imported.
        Where the settings could be read, :meth:`project` and :meth:`endpoint` answer all the same,
        until :meth:`stop`.
        """
        self._prepare(clock, session, sink)
        with self._measuring:
            self.reason, self._restarted = "", False
            self._counts = SinceStart()
            self._waits.clear()
            self._asked_interval = self.interval_seconds
            try:
                self._process.start(self._start_limit)
                self._started = True
                self._position = self._ask("position", dict[str, int])
            except SettingsOnly as error:
                self.reason = str(error)
                raise
            except ProbeError as error:
                self.reason = str(error)
                self._end()
                raise
            except BaseException:
                self._end()
                raise
        self._begin()

    def stop(self) -> None:
        """Take no more samples and end the probe."""
        super().stop()
        self._end()

    def info(self) -> DatabaseInfo:
        """What the project and its database are."""
        return self._ask("info", DatabaseInfo)

    def project(self) -> ProjectFacts:
        """What the project's settings say."""
        return self._ask_project("project", ProjectFacts)

    def endpoint(self, path: str) -> EndpointFacts:
        """What the project's URLs say about a path."""
        return self._ask_project("endpoint", EndpointFacts, path=path)

    def mark(self) -> Mark:
        """Where the tables end now, and what is wrong in them."""
        return self._ask("mark", Mark)

    def read_now(self) -> DatabaseRead:
        """Count what this session added, now; also a row of the series."""
        with self._measuring:
            try:
                read = self._read()
            except ProbeError as error:
                self._keep([{"session": self._session, **self._failed(error)}])
                raise
            self._keep([{"session": self._session, **_row(read)}])
            return read

    def lock_waits(self, start: float, end: float) -> list[LockWait]:
        """The waits for locks that were seen at readings between two times, in order.

        One that lasted for several readings is there several times.
        """
        with self._measuring:
            return [wait for time, wait in self._waits if start <= time <= end]

    def integrity(self, tag: str, mark: Mark | None = None) -> Integrity:
        """What is stored, and what is wrong with it, for the rows after ``mark``.

        ``mark`` is by default the start of this session; ``tag`` is what the e-mail addresses of
        the run's users contain.
        """
        return self._ask("integrity", Integrity, tag=tag, marks=self._marks(mark))

    def users(self, tag: str) -> int:
        """How many users have an e-mail address that contains ``tag``."""
        return self._ask("users", int, tag=tag)

    def cleanup(
        self, tag: str, transaction_ids: Sequence[int] = (), mark: Mark | None = None
    ) -> Removed:
        """Remove the users of ``tag`` that are newer than ``mark``, with what belongs to them.

        ``transaction_ids`` are transactions without a user that the run got acknowledged. All or
        nothing: raises ProbeError, with the model's name, if rows of any other model refer to
        those that would go.
        """
        ids = list(transaction_ids)
        return self._ask("cleanup", Removed, tag=tag, marks=self._marks(mark), transaction_ids=ids)

    def measure(self) -> list[Row]:
        """One row; what went wrong stands in its column "error"."""
        if not self._started:
            return []
        try:
            return [_row(self._read())]
        except ProbeError as error:
            return [self._failed(error)]

    def _failed(self, error: ProbeError) -> dict[str, float | int | str | None]:
        return {"time": self.clock.now(), "error": str(error)}

    def _read(self) -> DatabaseRead:
        found = self._ask("read", _Read, marks=self._position)
        start = self.clock.from_monotonic(found.start)
        state = found.state
        self._waits.extend((start, wait) for wait in state.waits)
        self._slow_down(found.probe_seconds)
        return DatabaseRead(
            start=start,
            end=self.clock.from_monotonic(found.end),
            transactions_added=found.added["transactions"],
            users_added=found.added["users"],
            balances_added=found.added["balances"],
            query_seconds=found.query_seconds,
            probe_seconds=found.probe_seconds,
            state=state,
            activity=self._counts.take(state.commits, state.rollbacks, state.deadlocks, found.own),
            own=self._counts.own,
        )

    def _slow_down(self, cost_seconds: float) -> None:
        """Read less often if each reading takes long."""
        self.interval_seconds = least_interval(self._asked_interval, cost_seconds)
        if self.interval_seconds > 2 * self._asked_interval:
            self.note(
                "readings of the database took long: it was read less often, so that the probe "
                "works for half of the time at most"
            )

    def _marks(self, mark: Mark | None) -> dict[str, int]:
        if mark is None:
            return self._position
        return {
            "transactions": mark.transactions,
            "users": mark.users,
            "balances": mark.balances,
        }

    def _ask(self, operation: str, kind: type[_Result], **parameters: Any) -> _Result:
        request = {"op": operation, **parameters}
        with self._measuring:
            if not self._started:
                raise ProbeError(self.reason or "the database probe was not started")
            try:
                result = self._process.ask(request, self._request_limit)
            except ProbeLost as lost:
                self._restart(lost)
                try:
                    result = self._process.ask(request, self._request_limit)
                except ProbeLost as again:
                    raise self._give_up(again) from None
        return msgspec.json.decode(result, type=kind)

    def _ask_project(self, operation: str, kind: type[_Result], **parameters: Any) -> _Result:
        """Ask what needs no database, of a probe that could open nothing else, too."""
        with self._measuring:
            if self._started:
                return self._ask(operation, kind, **parameters)
            result = self._process.ask({"op": operation, **parameters}, self._request_limit)
        return msgspec.json.decode(result, type=kind)

    def _restart(self, lost: ProbeLost) -> None:
        if self._restarted:
            raise self._give_up(lost)
        self._restarted = True
        self._counts.restarted()
        self.note(f"{lost} at {self.clock.now():.1f} s; it was started again")
        self._process.kill()
        try:
            self._process.start(self._start_limit)
        except ProbeError as error:
            raise self._give_up(error) from None

    def _give_up(self, error: ProbeError) -> ProbeError:
        self.reason = f"{error}; the database is read no further in this session"
        self.note(self.reason)
        self._process.kill()
        self._started = False
        return ProbeError(self.reason)

    def _end(self) -> None:
        with self._measuring:
            self._started = False
            self._process.end()


class _Read(msgspec.Struct):
    """A read as the probe answers it: times of the machine's monotonic clock."""

    start: float
    end: float
    added: dict[str, int]
    query_seconds: float
    probe_seconds: float
    state: DatabaseState
    own: OwnLoad


def _row(read: DatabaseRead) -> dict[str, float | int | str | None]:
    state = read.state
    return {
        "time": read.start,
        "read_end": read.end,
        "transactions_added": read.transactions_added,
        "users_added": read.users_added,
        "balances_added": read.balances_added,
        "query_seconds": read.query_seconds,
        "connections": state.connections,
        "probe_seconds": read.probe_seconds,
        "sessions_active": state.active,
        "sessions_idle": state.idle,
        "sessions_idle_in_transaction": state.idle_in_transaction,
        "sessions_waiting": state.waiting,
        "longest_transaction_seconds": state.longest_transaction_seconds,
        "longest_idle_in_transaction_seconds": state.longest_idle_in_transaction_seconds,
        "longest_wait_seconds": state.longest_wait_seconds,
        "commits": read.activity.commits,
        "rollbacks": read.activity.rollbacks,
        "deadlocks": read.activity.deadlocks,
        "server_connections": state.server_connections,
        "stored_bytes": state.stored_bytes,
        "wal_bytes": state.wal_bytes,
        "probe_statements": read.own.statements,
        "probe_busy_seconds": read.own.busy_seconds,
        "waits": redact("; ".join(str(wait) for wait in state.waits)),
    }
