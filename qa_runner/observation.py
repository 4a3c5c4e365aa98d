"""What was observed over a stretch of a run, and the value of any metric over it.

Definitions. *Due* requests are all rows but the cancelled ones; dropped iterations are due and
did not succeed. Times (response time and its kin) are over requests that got a complete HTTP
response or timed out: a refused connection has no response time, and a fast refusal must not
make a server look quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from qa_runner import estimate
from qa_runner.criteria import Criterion, Measurement
from qa_runner.load.plan import Outcome
from qa_runner.metric import Kind, Metric, percentile_of
from qa_runner.monitors.log_kinds import kind_of_text
from qa_runner.result import RecordedMetric, Window
from qa_runner.table import Floats, Table

__all__ = ["Observation"]

Mask = npt.NDArray[np.bool_]

_NOT_RECORDED = "the step did not record it"
_SMALL_SAMPLE = 20
_LEAST_SLOPE_POINTS = 5
_NOT_ANSWERED = (Outcome.DROPPED, Outcome.CANCELLED, Outcome.CONNECTION_ERROR)


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

    def measure(self, criterion: Criterion) -> Measurement:
        """The value of the criterion's metric; its ``value`` is None, with the reason, if there
        was nothing to measure.
        """
        metric = self.metrics[criterion.metric]
        found = self._measure(metric, criterion.aggregate, criterion.tag)
        if self.saturated and metric.load:
            notes = (found.note, f"load generator saturated: {self.saturated}")
            note = "; ".join(filter(None, notes))
            return msgspec.structs.replace(found, note=note, invalid=True)
        return found

    def _measure(  # noqa: PLR0911 (a return for each source)
        self, metric: Metric, aggregate: str, tag: str
    ) -> Measurement:
        recorded = self.recorded.get((metric.name, tag))
        if recorded is not None:
            return Measurement(
                value=recorded.value,
                beyond=recorded.beyond,
                reason=recorded.reason,
                note=recorded.note,
            )
        if metric.kind is Kind.SERIES:
            return self._series_aggregate(metric.name, aggregate, tag)
        samples = self.samples
        if tag:
            samples = samples.where(samples.text_equals("tag", tag))
        if metric.kind is Kind.SAMPLES:
            return self._samples_aggregate(metric.name, aggregate, samples)
        if metric.compute is not None:
            return _computed(metric.compute, samples)
        if metric.name in _RATES:
            return _rate(samples, _RATES[metric.name])
        if metric.name in _VALUES:
            return _VALUES[metric.name](samples)
        if metric.name in _FROM_MONITORS:
            return _FROM_MONITORS[metric.name](self)
        return Measurement(reason=_NOT_RECORDED)

    # ---------------------------------------------------------------- samples

    def _samples_aggregate(self, name: str, aggregate: str, samples: Table) -> Measurement:
        if name in ("database_time", "query_count"):
            values = server_timing(samples, name)
        elif name in _TIMES:
            begin, finish = _TIMES[name]
            values = samples.number(finish) - samples.number(begin)
            values[~_answered(samples)] = np.nan
        else:
            return Measurement(reason=_NOT_RECORDED)
        # Rows stand in the order of their ends, in which slow requests come late: no drift.
        values = values[np.argsort(samples.number("due"), kind="stable")]
        values = values[np.isfinite(values)]
        if values.size == 0:
            return Measurement(reason="no request was answered")
        return _aggregate(values, aggregate)

    # ---------------------------------------------------------------- series

    def _series_aggregate(  # noqa: PLR0911 (a return for each aggregate)
        self, name: str, aggregate: str, tag: str
    ) -> Measurement:
        if name not in _SERIES:
            return Measurement(reason=_NOT_RECORDED)
        start, end = self.start, self.end
        if tag:
            window = self.windows.get(tag)
            if window is None:
                return Measurement(reason=f"the step did not mark the window '{tag}'")
            start, end = window.start, window.end
        times, values, reason = self.points(name, start, end)
        least = 2 if aggregate in ("growth", "drift", "slope", "range") else 1
        if values.size < least:
            return Measurement(reason=reason or "no reading of the monitor in this window")
        match aggregate:
            case "growth":
                return Measurement(value=float(values[-1] - values[0]), sample_size=values.size)
            case "slope":
                return self._slope(times, values)
            case "drift":
                if values.size < _LEAST_SLOPE_POINTS:
                    return Measurement(reason=f"only {values.size} readings in this window")
                slope, _, low, high = estimate.theil_sen(times, values)
                span = float(times[-1] - times[0])
                return Measurement(
                    value=slope * span,
                    interval=(low * span, high * span),
                    sample_size=values.size,
                )
            case _:
                return _aggregate(values, aggregate)

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

    def _slope(self, times: Floats, values: Floats) -> Measurement:
        """Change per 100 finished requests over the last two thirds of the load (Theil-Sen)."""
        finished = self.samples.number("finished")
        finished = np.sort(finished[np.isfinite(finished)])
        if finished.size == 0:
            return Measurement(reason="no request was finished")
        counts = np.searchsorted(finished, times, side="right").astype(np.float64)
        during = (counts >= finished.size / 3) & (times <= finished[-1])
        if np.unique(counts[during]).size < _LEAST_SLOPE_POINTS:
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
        in_responses = sum(kind_of_text(text) == kind for text in self.samples.text("excerpt"))
        if not self.log_known:
            if in_responses:
                return Measurement(value=in_responses, note="from responses; log not known")
            return Measurement(reason=self.reasons.get("log") or "the server's log is not known")
        lines = self._log_lines()
        in_log = sum(found == kind for found in lines.text("kind"))
        return Measurement(value=max(in_log, in_responses))

    def unlogged_server_errors(self) -> Measurement:
        """Responses 5xx beyond the number of error records that the log gained."""
        if not self.log_known:
            return Measurement(reason=self.reasons.get("log") or "the server's log is not known")
        if not _answered(self.samples).any():
            return Measurement(reason="no request was answered")
        errors = int(_is(self.samples, Outcome.SERVER_ERROR).sum())
        lines = self._log_lines()
        logged = sum(level in ("ERROR", "CRITICAL") for level in lines.text("level"))
        return Measurement(value=max(errors - logged, 0), sample_size=errors)

    def _log_lines(self) -> Table:
        table = self.series.get("log")
        assert table is not None  # noqa: S101 (log_known says that it is there)
        return table.between(self.start, self.end)


def _is(samples: Table, *outcomes: Outcome) -> Mask:
    wanted = {str(outcome) for outcome in outcomes}
    return np.fromiter((o in wanted for o in samples.text("outcome")), bool, len(samples))


def _answered(samples: Table) -> Mask:
    return ~_is(samples, *_NOT_ANSWERED)


def _computed(compute: Callable[[Table], float | None], samples: Table) -> Measurement:
    try:
        value = compute(samples)
    except Exception as error:  # noqa: BLE001 (the function is of the case: anybody's code)
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        return Measurement(reason=f"computing it failed: {cause}")
    if value is None:
        return Measurement(reason="no response held what this needs")
    return Measurement(value=value, sample_size=len(samples))


def _rate(samples: Table, counted: Callable[[Table], Mask]) -> Measurement:
    due = samples.where(~_is(samples, Outcome.CANCELLED))
    if len(due) == 0:
        return Measurement(reason="no request was due")
    hits = int(counted(due).sum())
    low, high = estimate.rate_interval(hits, len(due))
    return Measurement(
        value=100.0 * hits / len(due),
        interval=(100.0 * low, 100.0 * high),
        sample_size=len(due),
    )


_RATES: Mapping[str, Callable[[Table], Mask]] = {
    "success_rate": lambda samples: _is(samples, Outcome.SUCCESS),
    "error_rate": lambda samples: ~_is(samples, Outcome.SUCCESS),
    "server_error_rate": lambda samples: _is(samples, Outcome.SERVER_ERROR),
    "client_error_rate": lambda samples: _is(samples, Outcome.CLIENT_ERROR, Outcome.THROTTLED),
    "timeout_rate": lambda samples: _is(samples, Outcome.TIMEOUT),
    "connection_error_rate": lambda samples: _is(samples, Outcome.CONNECTION_ERROR),
}
_TIMES: Mapping[str, tuple[str, str]] = {
    "response_time": ("due", "finished"),
    "service_time": ("started", "finished"),
    "connect_time": ("started", "connected"),
    "time_to_first_byte": ("started", "first_byte"),
}
_SERIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "server_memory": (("server", "rss_bytes"),),
    "server_cpu": (("server", "cpu_percent"),),
    # What the database itself counts, else the server's open descriptors of the SQLite file.
    "database_connections": (("database", "connections"), ("server", "database_handles")),
    "query_time": (("database", "query_seconds"),),
}


def _requests(samples: Table) -> Measurement:
    due = int((~_is(samples, Outcome.CANCELLED)).sum())
    if due == 0:
        return Measurement(reason="no request was due")
    return Measurement(value=due, sample_size=due)


def _dropped(samples: Table) -> Measurement:
    due = int((~_is(samples, Outcome.CANCELLED)).sum())
    if due == 0:
        return Measurement(reason="no request was due")
    return Measurement(value=int(_is(samples, Outcome.DROPPED).sum()), sample_size=due)


def _span(samples: Table) -> tuple[float, int]:
    """Seconds from the first request due to the last finished, and how many there were."""
    finished = samples.number("finished")
    known = np.isfinite(finished)
    if not known.any():
        return float("nan"), 0
    return float(finished[known].max() - np.nanmin(samples.number("due"))), int(known.sum())


def _duration(samples: Table) -> Measurement:
    seconds, count = _span(samples)
    if count == 0:
        return Measurement(reason="no request was finished")
    return Measurement(value=seconds, sample_size=count)


def _throughput(samples: Table) -> Measurement:
    """Successes over the time from the first request due to the last success."""
    if _span(samples)[1] == 0:
        return Measurement(reason="no request was finished")
    succeeded = _is(samples, Outcome.SUCCESS)
    successes = int(succeeded.sum())
    if successes == 0:
        return Measurement(value=0.0, sample_size=0)
    last = float(samples.number("finished")[succeeded].max())
    seconds = last - float(np.nanmin(samples.number("due")))
    if seconds <= 0:
        return Measurement(reason="the requests took no time that can be measured")
    return Measurement(value=successes / seconds, sample_size=successes)


def _status(samples: Table) -> Measurement:
    answered = samples.number("status")[samples.number("status") > 0]
    if answered.size == 0:
        return Measurement(reason="no request was answered")
    return Measurement(value=float(answered[-1]), sample_size=int(answered.size))


def _silent_failures(samples: Table) -> Measurement:
    answered = int((samples.number("status") > 0).sum())
    if answered == 0:
        return Measurement(reason="no request was answered")
    return Measurement(value=int(_is(samples, Outcome.INVALID).sum()), sample_size=answered)


def _malformed_errors(samples: Table) -> Measurement:
    answered = samples.number("status") > 0
    if not answered.any():
        return Measurement(reason="no request was answered")
    errors = answered & _is(
        samples,
        Outcome.CLIENT_ERROR,
        Outcome.THROTTLED,
        Outcome.SERVER_ERROR,
        Outcome.OTHER,
    )
    malformed = errors & (samples.number("json_object") != 1)
    return Measurement(value=int(malformed.sum()), sample_size=int(errors.sum()))


_VALUES: Mapping[str, Callable[[Table], Measurement]] = {
    "requests": _requests,
    "dropped_iterations": _dropped,
    "duration": _duration,
    "throughput": _throughput,
    "status": _status,
    "silent_failures": _silent_failures,
    "malformed_errors": _malformed_errors,
}
_FROM_MONITORS: Mapping[str, Callable[[Observation], Measurement]] = {
    "server_restarts": Observation.server_restarts,
    "lock_errors": lambda observation: observation.log_errors("lock"),
    "deadlocks": lambda observation: observation.log_errors("deadlock"),
    "database_timeouts": lambda observation: observation.log_errors("timeout"),
    "unlogged_server_errors": Observation.unlogged_server_errors,
}


def _aggregate(values: Floats, aggregate: str) -> Measurement:
    size = int(values.size)
    percent = percentile_of(aggregate)
    if percent is not None:
        return Measurement(
            value=estimate.percentile(values, percent),
            interval=estimate.percentile_interval(values, percent),
            sample_size=size,
            note=f"small sample ({size})" if size < _SMALL_SAMPLE else "",
        )
    match aggregate:
        case "mean":
            value, interval = float(values.mean()), estimate.mean_interval(values)
        case "median":
            value = estimate.percentile(values, 50)
            interval = estimate.percentile_interval(values, 50)
        case "stddev":
            # Of the population, as in the test case's text.
            value, interval = float(values.std()), estimate.stddev_interval(values)
        case "min":
            value, interval = float(values.min()), None
        case "max":
            value, interval = float(values.max()), None
        case "range":
            value, interval = float(values.max() - values.min()), None
        case "drift":
            return _drift(values)
        case _:
            raise ValueError(f"no aggregate {aggregate}")
    return Measurement(value=value, interval=interval, sample_size=size)


def _drift(values: Floats) -> Measurement:
    """Theil-Sen slope per request times the number of requests."""
    size = int(values.size)
    if size < _LEAST_SLOPE_POINTS:
        return Measurement(reason=f"only {size} requests were answered")
    slope, _, low, high = estimate.theil_sen(np.arange(size, dtype=np.float64), values)
    return Measurement(value=slope * size, interval=(low * size, high * size), sample_size=size)


def server_timing(samples: Table, name: str) -> Floats:
    """``db`` duration in seconds, or its query count, from Server-Timing headers; shape (n,).

    Reads ``db;dur=12.3;desc="7 queries"`` (durations are milliseconds by the W3C's Server
    Timing); NaN where a response did not say.
    """
    import json  # noqa: PLC0415 (only runs whose target sends the header need it)
    import re  # noqa: PLC0415

    duration = r"(?:^|,)\s*db\s*;(?:[^,]*?;)?\s*dur=\"?(\d+(?:\.\d*)?|\.\d+)"
    found = re.compile(duration if name == "database_time" else r"(\d+) quer", re.ASCII)
    values = np.full(len(samples), np.nan)
    for index, text in enumerate(samples.text("extracted")):
        if "server-timing" not in text:
            continue
        match = found.search(str(json.loads(text).get("server-timing", "")))
        if match:
            values[index] = float(match[1]) * (1e-3 if name == "database_time" else 1.0)
    return values
