"""A load, as seen from the main process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qa_runner.clock import Clock
from qa_runner.load.messages import Progress, Samples
from qa_runner.load.plan import LoadPlan
from qa_runner.load.samples import OUTCOMES, PACKED, SERVER_TIMING, TEXTS, TIMES
from qa_runner.load.schedule import expected_requests, stage_tags
from qa_runner.load.server_timing import ServerTiming, parse_server_timing
from qa_runner.load.template import CompiledRequest
from qa_runner.table import SAMPLES, Floats, Table
from qa_runner.text_column import TextColumn

__all__ = ["MOST_SAMPLES", "TOO_MANY_SAMPLES", "LoadHandle"]

MOST_SAMPLES = 20_000_000
"""Of one load. Every sample is kept: about 100 bytes of memory each, and 145 on disk."""
TOO_MANY_SAMPLES = f"stopped at {MOST_SAMPLES:,} requests, the most whose samples are kept"
_OUTCOME_NAMES = [outcome.value for outcome in OUTCOMES]
_AS_THEY_ARE = ("iteration", "user", "status", "bytes_received", "reused", "json_object")


class LoadHandle:
    """What is known of a load so far; filled by ``GeneratorProcess.poll``.

    ``stop_reason`` is empty for a load that went to its end; "stopped", "generator ended" or
    TOO_MANY_SAMPLES otherwise.
    """

    def __init__(
        self,
        plan: LoadPlan,
        request: CompiledRequest,
        clock: Clock,
        stop: Callable[[int], None],
        *,
        part: str,
        role: str,
        tag: str,
        session: int,
    ) -> None:
        self.plan = plan
        self.number = plan.number
        self.part = part
        self.role = role
        self.tag = tag
        self.session = session
        self.finished = False
        self.stop_reason = ""
        expected = expected_requests(plan.shape)
        if expected is not None and expected > MOST_SAMPLES:
            raise ValueError(
                f"a load of {expected:,} requests is too large: every sample is kept, and memory "
                f"is bounded to {MOST_SAMPLES:,}; send fewer, or several loads one after the other"
            )
        self.progress = Progress(expected=expected)
        self._request = request
        self._clock = clock
        self._stop = stop
        self._tags = [stage or tag for stage in stage_tags(plan.shape)]
        self._arrived = Table(SAMPLES)
        self._rows = 0

    def take(self) -> Table:
        """The samples that have arrived since the last call, in the order of their end.

        Times are seconds on the session's clock.
        """
        arrived, self._arrived = self._arrived, Table(SAMPLES)
        return arrived

    def stop(self) -> None:
        """Ask that nothing new is started; what is in flight has half a second to end.

        The load has not stopped before ``finished`` says so.
        """
        if not self.finished:
            self._stop(self.number)

    def add(self, report: Samples, packed: bytes) -> None:
        """Take in what the generator sent; raises ValueError if that makes no sense."""
        self.progress = report.progress
        if packed:
            rows = self._table(report, packed)
            # At once, so that many small frames are never kept beside what is made of them.
            self._arrived = Table.concatenate(SAMPLES, [self._arrived, rows])
            self._rows += len(rows)
            if self._rows >= MOST_SAMPLES:
                self.stop()

    def end(self, stop_reason: str) -> None:
        """Nothing more will arrive."""
        self.finished = True
        full = stop_reason == "stopped" and self._rows >= MOST_SAMPLES
        self.stop_reason = TOO_MANY_SAMPLES if full else stop_reason

    def _table(self, report: Samples, packed: bytes) -> Table:
        numbers = np.frombuffer(packed, dtype=np.float64).reshape(-1, len(PACKED))
        columns = {name: numbers[:, index] for index, name in enumerate(PACKED)}
        rows = len(numbers)
        data: dict[str, Any] = {name: columns[name] for name in _AS_THEY_ARE}
        for name in TIMES:
            data[name] = columns[name] - self._clock.monotonic_start
        data["session"] = np.full(rows, float(self.session))
        data["load"] = np.full(rows, float(self.number))
        data["part"] = TextColumn.same(self.part, rows)
        data["role"] = TextColumn.same(self.role, rows)
        data["tag"] = TextColumn.chosen(_places(columns["stage"]), self._tags)
        data["key"] = self._keys(rows)
        data["outcome"] = TextColumn.chosen(_places(columns["outcome"]), _OUTCOME_NAMES)
        for name in TEXTS:
            places, texts = report.texts.get(name, ([], []))
            data[name] = TextColumn.sparse(places, texts, rows)
        places, headers = report.texts.get(SERVER_TIMING, ([], []))
        if places:
            data |= _inside(places, headers, rows)
        return Table(SAMPLES, data)

    def _keys(self, rows: int) -> TextColumn:
        """One text for each request is not kept: the number of the request tells it."""
        pieces = self._request.keys
        return TextColumn.same(pieces if len(pieces) > 1 else pieces[0], rows)


def _inside(places: list[int], headers: list[str], rows: int) -> dict[str, Floats]:
    """The columns of the times inside the server, from Server-Timing headers of some rows."""
    found = np.full((len(ServerTiming._fields), rows), np.nan)
    found[:, places] = np.transpose([parse_server_timing(header) for header in headers])
    return dict(zip(ServerTiming._fields, found, strict=True))


def _places(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return values.astype(np.intp)
