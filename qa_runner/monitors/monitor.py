"""The common form of monitors: a thread that measures at an interval and never ends a run."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

from qa_runner.clock import Clock
from qa_runner.table import SERIES, Table

__all__ = ["Monitor", "Row", "Sink"]

Sink = Callable[[str, Table], None]
"""Takes the name of a series and its new rows."""

Row = Mapping[str, float | int | str | None]

_STOP_SECONDS = 15.0


class Monitor(ABC):
    """Measures every ``interval_seconds`` between :meth:`start` and :meth:`stop`.

    ``name`` is that of its series. ``reason`` is empty while it can measure, else one line that
    says why it cannot and what to do. Nothing that goes wrong while measuring is raised.
    """

    name: str
    interval_seconds: float

    def __init__(self) -> None:
        self.reason = ""
        self.clock = Clock()
        self._session = 0
        self._sink: Sink | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        # Held while measuring, so that sample_now and the thread take turns.
        self._measuring = threading.RLock()
        # Held for moments only, so that rows() never waits for a measurement.
        self._rows_lock = threading.Lock()
        self._table: Table | None = None
        self._rows: list[Row] = []
        self._notes: list[str] = []

    @abstractmethod
    def measure(self) -> Iterable[Row]:
        """The rows of one sample, without their session. May raise: that becomes the reason."""

    def start(self, clock: Clock, session: int, sink: Sink) -> None:
        """Begin to measure on ``clock``; the first sample is taken before this returns."""
        self._prepare(clock, session, sink)
        self._begin()

    def stop(self) -> None:
        """Take no more samples. Harmless when it was not started, or twice."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(_STOP_SECONDS)

    def sample_now(self) -> None:
        """Take one more sample at once, so that a window has a value at its edge."""
        self._sample()

    def rows(self) -> Table:
        """All rows of this session so far."""
        with self._rows_lock:
            columns = SERIES[self.name]
            known = [self._table] if self._table is not None else []
            fresh = [Table.from_rows(columns, self._rows)] if self._rows else []
            self._table = Table.concatenate(columns, known + fresh)
            self._rows = []
            return self._table

    def notes(self) -> list[str]:
        """What the report should say about this series."""
        with self._rows_lock:
            return list(self._notes)

    def note(self, text: str) -> None:
        """Add something that the report should say; the same text is kept once."""
        with self._rows_lock:
            if text not in self._notes:
                self._notes.append(text)

    def _prepare(self, clock: Clock, session: int, sink: Sink) -> None:
        self.clock, self._session, self._sink = clock, session, sink
        self._stopped.clear()
        with self._rows_lock:
            self._table, self._rows, self._notes = None, [], []

    def _begin(self) -> None:
        self._sample()
        self._thread = threading.Thread(target=self._loop, name=f"monitor-{self.name}", daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        due = self.clock.now() + self.interval_seconds
        while not self.clock.wait(self._stopped, due - self.clock.now()):
            self._sample()
            # A late sample is not made up for: the next one is due from now.
            due = max(due + self.interval_seconds, self.clock.now())

    def _sample(self) -> None:
        with self._measuring:
            try:
                rows = [{"session": self._session, **row} for row in self.measure()]
            except Exception as error:  # noqa: BLE001 (a monitor never ends a run)
                self.reason = f"the {self.name} monitor failed: {type(error).__name__}: {error}"
                self.note(self.reason)
                return
            self._keep(rows)

    def _keep(self, rows: list[dict[str, float | int | str | None]]) -> None:
        if not rows:
            return
        with self._rows_lock:
            self._rows.extend(rows)
        if self._sink is None:
            return
        try:
            self._sink(self.name, Table.from_rows(SERIES[self.name], rows))
        except Exception as error:  # noqa: BLE001 (a full disk, say: what is in memory counts)
            self.note(f"rows of the series {self.name} could not be written: {error}")
