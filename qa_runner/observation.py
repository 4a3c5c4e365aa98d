"""What was observed over a stretch of a run, and the value of any metric over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from qa_runner import estimate
from qa_runner.aggregates import LEAST_SLOPE_POINTS, aggregate, increase
from qa_runner.calibration import Calibration
from qa_runner.criteria import Criterion, Measurement
from qa_runner.headroom import added_time
from qa_runner.load.plan import Outcome
from qa_runner.metric import Kind, Metric
from qa_runner.monitors.log_kinds import kind_of_text
from qa_runner.result import RecordedMetric, Window
from qa_runner.sample_metrics import (
    INSIDE,
    RATES,
    TIMES,
    VALUES,
    answered,
    computed,
    delivered,
    is_outcome,
    late_starts,
    rate,
    times_of,
)
from qa_runner.table import Floats, Table

__all__ = ["Observation"]

_LONGEST_GAP_SECONDS = 5.0
_NOT_RECORDED = "the step did not record it"


@dataclass(frozen=True, slots=True)
class Observation:
    """Samples and monitor series between ``start`` and ``end``, on one session's clock.

    ``samples`` are those of the load that is judged. ``series`` are whole; windows are cut here.
    ``reasons`` says for a series why it could not be measured.
    """

    samples: Table
    start: float
    end: float
    series: Mapping[str, Table]
    reasons: Mapping[str, str]
    metrics: Mapping[str, Metric]
    windows: Mapping[str, Window] = field(default_factory=dict)
    recorded: Mapping[tuple[str, str], RecordedMetric] = field(default_factory=dict)
    log_known: bool = False
    saturated: str = ""
    """Why the load generator was the bottleneck; empty if it was not."""
    scattered: str = ""
    """That requests meant to start together did not; empty if they did."""
    cautions: tuple[str, ...] = ()
    """What the reader should know of the load generator, though it decides nothing."""
    calibration: Calibration | None = None

    def measure(self, criterion: Criterion) -> Measurement:
        """The value of the criterion's metric; its ``value`` is None, with the reason, if there
        was nothing to measure.
        """
        metric = self.metrics[criterion.metric]
        found = self._measure(metric, criterion.aggregate, criterion.tag)
        if not metric.load:
            return found
        notes = [found.note]
        # Requests that started late are the generator's doing, whatever its readings say.
        saturated = self.saturated or late_starts(self.samples) or self.scattered
        if saturated:
            notes.append(f"load generator saturated: {saturated}")
        notes += self.cautions
        if metric.name in TIMES:
            notes.append(added_time(criterion.limit * criterion.factor, self.calibration))
        return msgspec.structs.replace(
            found,
            note="; ".join(filter(None, notes)),
            invalid=bool(saturated),
            undelivered=bool(saturated) and (bool(self.scattered) or not delivered(self.samples)),
        )

    def _measure(  # noqa: PLR0911 (a return for each source)
        self, metric: Metric, name: str, tag: str
    ) -> Measurement:
        recorded = self.recorded.get((metric.name, tag))
        if recorded is not None:
            return Measurement(
                value=recorded.value,
                beyond=recorded.beyond,
                failed=recorded.failed,
                reason=recorded.reason,
                note=recorded.note,
            )
        if metric.kind is Kind.SERIES:
            return self._series_aggregate(metric.name, name, tag)
        samples = self.samples
        if tag:
            samples = samples.where(samples.text_equals("tag", tag))
        if metric.kind is Kind.SAMPLES:
            return self._samples_aggregate(metric.name, name, samples)
        if metric.compute is not None:
            return computed(metric.compute, samples)
        if metric.name in RATES:
            return rate(samples, RATES[metric.name])
        if metric.name in VALUES:
            return VALUES[metric.name](samples)
        if metric.name in _FROM_MONITORS:
            return _FROM_MONITORS[metric.name](self)
        return Measurement(reason=_NOT_RECORDED)

    @staticmethod
    def _samples_aggregate(name: str, aggregate_name: str, samples: Table) -> Measurement:
        values = times_of(samples, name)
        if values is None:
            return Measurement(reason=_NOT_RECORDED)
        if values.size == 0:
            return Measurement(reason=_without_values(name, samples))
        due = len(samples) - int(is_outcome(samples, Outcome.CANCELLED).sum())
        if name == "response_time" and values.size < due / 2:
            # What remains after most were refused or dropped says nothing of the server.
            return Measurement(reason=f"only {values.size} of {due} requests were answered")
        had = "succeeded" if name == "query_count" else "were answered"
        return aggregate(values, aggregate_name, had)

    # ---------------------------------------------------------------- series

    def _series_aggregate(  # noqa: PLR0911 (a return for each aggregate)
        self, name: str, aggregate_name: str, tag: str
    ) -> Measurement:
        if name not in _SERIES:
            return Measurement(reason=_NOT_RECORDED)
        start, end = self.start, self.end
        if tag:
            window = self.windows.get(tag)
            if window is None:
                return Measurement(reason=f"the step did not mark the window '{tag}'")
            start, end = window.start, window.end
        gap = self._gap(name, start, end)
        if gap:
            return Measurement(reason=gap)
        times, values, reason = self.points(name, start, end)
        least = 2 if aggregate_name in ("growth", "drift", "slope", "range") else 1
        if values.size < least:
            return Measurement(reason=reason or "no reading of the monitor in this window")
        match aggregate_name:
            case "growth":
                return Measurement(value=float(values[-1] - values[0]), sample_size=values.size)
            case "slope":
                return self._slope(times, values)
            case "drift":
                if values.size < LEAST_SLOPE_POINTS:
                    return Measurement(reason=f"only {values.size} readings in this window")
                slope, _, low, high = estimate.theil_sen(times, values)
                span = float(times[-1] - times[0])
                return Measurement(
                    value=slope * span,
                    interval=(low * span, high * span),
                    sample_size=values.size,
                )
            case _:
                return aggregate(values, aggregate_name)

    def points(self, name: str, start: float, end: float) -> tuple[Floats, Floats, str]:
        """Times and values, each shape (n,), of a series metric in a window, and why none."""
        reason = ""
        for source, column in _SERIES[name]:
            table = self.series.get(source)
            reason = reason or self.reasons.get(source, "")
            if table is None:
                continue
            cut = table.between(start, end)
            times, values = cut.number("time"), cut.number(column)
            known = np.isfinite(values)
            if known.any():
                return times[known], values[known], ""
        return np.empty(0), np.empty(0), reason

    def _gap(self, name: str, start: float, end: float) -> str:
        """Why the readings of a window do not speak for all of it; empty if they do."""
        source = self._source(name, start, end)
        if not source:
            return ""
        times, _, _ = self.points(name, start, end)
        if source == "server":
            rows = self.series["server"].between(start, end)
            if np.ptp(rows.number("restarts")) > 0 or (rows.number("processes") == 0).any():
                return "the server ended or was restarted in this window"
        if end - float(times[-1]) > _LONGEST_GAP_SECONDS:
            ended = f"the readings end {end - float(times[-1]):.0f} s before the window does"
            reason = self.reasons.get(source, "")
            return f"{ended}: {reason}" if reason else ended
        return ""

    def _source(self, name: str, start: float, end: float) -> str:
        """The monitor whose readings :meth:`points` takes; empty if none has any."""
        for source, column in _SERIES[name]:
            table = self.series.get(source)
            if table is not None and np.isfinite(table.between(start, end).number(column)).any():
                return source
        return ""

    def _slope(self, times: Floats, values: Floats) -> Measurement:
        """Change per 100 finished requests over the last two thirds of the load (Theil-Sen)."""
        finished = self.samples.number("finished")
        finished = np.sort(finished[np.isfinite(finished)])
        if finished.size == 0:
            return Measurement(reason="no request was finished")
        counts = np.searchsorted(finished, times, side="right").astype(np.float64)
        during = (counts >= finished.size / 3) & (times <= finished[-1])
        if np.unique(counts[during]).size < LEAST_SLOPE_POINTS:
            return Measurement(reason="too few readings during the load")
        slope, _, low, high = estimate.theil_sen(counts[during], values[during])
        return Measurement(
            value=slope * 100,
            interval=(low * 100, high * 100),
            sample_size=int(during.sum()),
        )

    # ---------------------------------------------------------------- monitors

    def server_restarts(self) -> Measurement:
        """Ends of server processes between start and end."""
        table = self.series.get("server")
        if table is None or len(table) == 0:
            return Measurement(reason=self.reasons.get("server") or "no server process found")
        times, restarts = table.number("time"), table.number("restarts")
        found = table.number("processes")
        before = restarts[times <= self.start]
        within = (times >= self.start) & (times <= self.end)
        if not within.any() or not (found[times <= self.end] > 0).any():
            return Measurement(reason=self.reasons.get("server") or "no server process found")
        base = float(before[-1]) if before.size else 0.0
        return Measurement(value=float(np.max(restarts[within])) - base)

    def log_errors(self, kind: str) -> Measurement:
        """Errors of a kind in the server's log or, of the same requests, in the responses.

        A request can leave both, so the larger count is taken. Without a log, none in the
        responses means not measured.
        """
        if not answered(self.samples).any():
            return Measurement(reason="no request was answered")
        bodies = self.samples.counts("excerpt").items()
        in_responses = sum(count for text, count in bodies if kind_of_text(text) == kind)
        if not self.log_known:
            if in_responses:
                return Measurement(value=in_responses, note="from responses; log not known")
            return Measurement(reason=self.reasons.get("log") or "the server's log is not known")
        lines = self._log_lines()
        in_log = sum(found == kind for found in lines.text("kind"))
        return Measurement(value=max(in_log, in_responses))

    def deadlocks(self) -> Measurement:
        """Deadlocks in log and responses or, of the same, in the database's statistics.

        The largest count is taken. These publish with a delay: one can count for a later part.
        """
        told = self.log_errors("deadlock")
        counted = self._counted("deadlocks")
        if counted is None or not answered(self.samples).any():
            return told
        note = f"{counted:g} by the database's own count"
        if told.value is None:
            return Measurement(value=counted, note=f"{note}; {told.reason}")
        return Measurement(value=max(told.value, counted), note=note)

    def _counted(self, column: str) -> float | None:
        """What a count of the database rose by in this window; None if it does not count."""
        table = self.series.get("database")
        if table is None:
            return None
        return increase(table.number("time"), table.number(column), self.start, self.end)

    def unlogged_server_errors(self) -> Measurement:
        """Responses 5xx beyond the number of error records that the log gained."""
        if not self.log_known:
            return Measurement(reason=self.reasons.get("log") or "the server's log is not known")
        if not answered(self.samples).any():
            return Measurement(reason="no request was answered")
        errors = int(is_outcome(self.samples, Outcome.SERVER_ERROR).sum())
        lines = self._log_lines()
        records = [
            text
            for level, text in zip(lines.text("level"), lines.text("text"), strict=True)
            if level in ("ERROR", "CRITICAL")
        ]
        # Many projects log their own exception beside Django's record of the request.
        of_requests = [text for text in records if "Internal Server Error" in text]
        logged = len(of_requests or records)
        return Measurement(value=max(errors - logged, 0), sample_size=errors)

    def _log_lines(self) -> Table:
        table = self.series.get("log")
        assert table is not None  # noqa: S101 (log_known says that it is there)
        return table.between(self.start, self.end)


def _without_values(name: str, samples: Table) -> str:
    """Why no request has a value of this metric."""
    if name not in INSIDE or not answered(samples).any():
        return "no request was answered"
    if name == "query_count" and not is_outcome(samples, Outcome.SUCCESS).any():
        return "no request succeeded"
    return "no response told it in its Server-Timing header"


_SERIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "server_memory": (("server", "rss_bytes"),),
    "server_cpu": (("server", "cpu_percent"),),
    # What the database itself counts, else the server's open descriptors of the SQLite file.
    "database_connections": (("database", "connections"), ("server", "database_handles")),
    "query_time": (("database", "query_seconds"),),
}
_FROM_MONITORS: Mapping[str, Callable[[Observation], Measurement]] = {
    "server_restarts": Observation.server_restarts,
    "lock_errors": lambda observation: observation.log_errors("lock"),
    "deadlocks": Observation.deadlocks,
    "database_timeouts": lambda observation: observation.log_errors("timeout"),
    "unlogged_server_errors": Observation.unlogged_server_errors,
}
