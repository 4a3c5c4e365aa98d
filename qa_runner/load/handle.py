"""A load, as seen from the main process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qa_runner.clock import Clock
from qa_runner.load.messages import Progress, Samples
from qa_runner.load.plan import LoadPlan
from qa_runner.load.samples import OUTCOMES, PACKED, TEXTS, TIMES
from qa_runner.load.schedule import expected_requests, stage_tags
from qa_runner.load.template import CompiledRequest
from qa_runner.table import SAMPLES, Table

__all__ = ["LoadHandle"]

_AS_THEY_ARE = ("iteration", "user", "status", "bytes_received", "reused", "json_object")


class LoadHandle:
    """What is known of a load so far; filled by ``GeneratorProcess.poll``.

    ``stop_reason`` is empty for a load that went to its end; "stopped" or "generator ended"
    otherwise.
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
        self.progress = Progress(expected=expected_requests(plan.shape))
        self._request = request
        self._clock = clock
        self._stop = stop
        self._tags = [stage or tag for stage in stage_tags(plan.shape)]
        self._arrived: list[Table] = []

    def take(self) -> Table:
        """The samples that have arrived since the last call, in the order of their end.

        Times are seconds on the session's clock.
        """
        arrived, self._arrived = self._arrived, []
        return Table.concatenate(SAMPLES, arrived)

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
            self._arrived.append(self._table(report, packed))

    def end(self, stop_reason: str) -> None:
        """Nothing more will arrive."""
        self.finished = True
        self.stop_reason = stop_reason

    def _table(self, report: Samples, packed: bytes) -> Table:
        numbers = np.frombuffer(packed, dtype=np.float64).reshape(-1, len(PACKED))
        columns = {name: numbers[:, index] for index, name in enumerate(PACKED)}
        rows = len(numbers)
        data: dict[str, Any] = {name: columns[name] for name in _AS_THEY_ARE}
        for name in TIMES:
            data[name] = columns[name] - self._clock.monotonic_start
        data["session"] = np.full(rows, float(self.session))
        data["load"] = np.full(rows, float(self.number))
        data["part"] = [self.part] * rows
        data["role"] = [self.role] * rows
        data["tag"] = [self._tags[int(stage)] for stage in columns["stage"]]
        data["key"] = [self._request.key(int(number) + 1) for number in columns["iteration"]]
        data["outcome"] = [OUTCOMES[int(outcome)].value for outcome in columns["outcome"]]
        for name in TEXTS:
            texts = [""] * rows
            for row, text in zip(*report.texts.get(name, ((), ())), strict=True):
                texts[row] = text
            data[name] = texts
        return Table(SAMPLES, data)
