"""The database probe as the run sees it: asks the process that works inside the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from qa_runner.clock import Clock
from qa_runner.errors import ProbeError
from qa_runner.monitors.database_result import (
    DatabaseInfo,
    DatabaseRead,
    Integrity,
    Mark,
    Removed,
)
from qa_runner.monitors.monitor import Monitor, Row, Sink
from qa_runner.monitors.probe_process import ProbeLost, ProbeProcess
from qa_runner.monitors.project import DjangoProject

__all__ = ["DatabaseProbe"]

_Result = TypeVar("_Result")

# What the probe itself takes at most, as a share of the time in which it has to answer.
_SHARE = 0.8


class DatabaseProbe(Monitor):
    """The series "database", and questions about what is stored.

    ``models`` maps the roles "transactions", "users" and "balances" to ``app.Model``, or to
    ``app.Model.field`` where a model has several relations to the users. ``intent_field`` is the
    transactions' field with the payment intent id.

    Every question has ``request_limit_seconds``; a probe that does not answer, or has ended, is
    started again once; the second time it is given up, and ``reason`` says so. Questions and
    samples take turns. All questions raise ProbeError with one line.
    """

    name = "database"
    interval_seconds = 1.0

    def __init__(
        self,
        project: DjangoProject,
        models: Mapping[str, str],
        intent_field: str,
        *,
        start_limit_seconds: float = 20.0,
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

    @property
    def pid(self) -> int | None:
        """The probe's process, None while it does not run."""
        return self._process.pid

    def start(self, clock: Clock, session: int, sink: Sink) -> None:
        """Open the project and begin to sample.

        Raises ProbeError, in one line with the remedy, if the interpreter, the settings, Django,
        a model or the database is not there, or if the project exits or hangs when imported.
        """
        self._prepare(clock, session, sink)
        with self._measuring:
            self.reason, self._restarted = "", False
            try:
                self._process.start(self._start_limit)
                self._started = True
                self._position = self._ask("position", dict[str, int])
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
        return DatabaseRead(
            start=self.clock.from_monotonic(found.start),
            end=self.clock.from_monotonic(found.end),
            transactions_added=found.added["transactions"],
            users_added=found.added["users"],
            balances_added=found.added["balances"],
            query_seconds=found.query_seconds,
            connections=found.connections,
            probe_seconds=found.probe_seconds,
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

    def _restart(self, lost: ProbeLost) -> None:
        if self._restarted:
            raise self._give_up(lost)
        self._restarted = True
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
    connections: int | None
    probe_seconds: float


def _row(read: DatabaseRead) -> dict[str, float | int | str | None]:
    return {
        "time": read.start,
        "read_end": read.end,
        "transactions_added": read.transactions_added,
        "users_added": read.users_added,
        "balances_added": read.balances_added,
        "query_seconds": read.query_seconds,
        "connections": read.connections,
        "probe_seconds": read.probe_seconds,
    }
