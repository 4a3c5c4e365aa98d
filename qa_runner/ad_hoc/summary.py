"""What a load came to, in numbers: the JSON of ``qa-runner load``, and what its text shows."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from qa_runner import __version__
from qa_runner.ad_hoc.causes import Cause, causes_of
from qa_runner.ad_hoc.expectations import judge_expectations
from qa_runner.ad_hoc.masking import Mask
from qa_runner.ad_hoc.sending import Measured
from qa_runner.aggregates import aggregate
from qa_runner.criteria import CriterionResult
from qa_runner.headroom import near_capacity
from qa_runner.load.plan import Outcome, describe
from qa_runner.sample_metrics import RATES, VALUES, is_outcome, late_starts, rate, times_of
from qa_runner.table import Floats, Table
from qa_runner.verdict import Verdict, combine

__all__ = ["GeneratorHealth", "Lateness", "Summary", "Times", "summarise"]

SCHEMA_VERSION = 1

Interval = tuple[float, float]
_SHOWN_PERCENTILES = ("p50", "p90", "p95", "p99")


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, over the ``n`` requests that were answered or timed out; None without any.

    ``intervals`` are the 95 % confidence intervals of the percentiles that so many values allow:
    ``{"p95": [low, high]}``.
    """

    n: int
    mean: float | None = None
    stddev: float | None = None
    min: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    intervals: dict[str, Interval] = {}


class Lateness(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from when requests were due to when they were started; None if none was."""

    p50: float | None = None
    p99: float | None = None
    max: float | None = None


class GeneratorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The process that sent the load.

    ``cpu`` is its share of one core over the load, in percent; ``lag`` the longest lag of its
    event loop, in seconds; None where that was not measured. ``saturated`` says that it was the
    bottleneck, ``reason`` why; ``caution`` that the load came close to what it can send.
    """

    cpu: float | None
    lag: float | None
    saturated: bool
    reason: str = ""
    caution: str = ""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON that ``qa-runner load --format json`` prints; fields are only ever added.

    ``requests`` counts all that were due, ``dropped`` those of them that could not start because
    too many were in flight, ``cancelled`` those beside them that were given up at an interrupt.
    ``success_rate`` is in percent of ``requests``, ``throughput`` in successes per second,
    ``duration_seconds`` from the first request due to the last finished. ``response_time`` is
    from due to finished, ``service_time`` from started to finished, ``connect_time`` from started
    to connected, of the requests that opened a connection. ``bytes`` were received. ``errors``
    counts what did not succeed by class, ``causes`` says more of each, ``status_codes`` counts
    the responses by status. ``verdict`` is over ``expectations``, None without any. ``status`` is
    "finished", "interrupted", "crashed", or "stopped" to protect the target, and ``stop_reason``
    says why it was cut short.
    """

    schema_version: int = SCHEMA_VERSION
    version: str
    started: str
    """ISO 8601, with the offset of the machine."""
    url: str
    method: str
    shape: str
    """In words."""
    connections: str
    timeout_seconds: float
    tag: str
    """The value of the field {tag}."""
    status: Literal["finished", "interrupted", "crashed", "stopped"]
    stop_reason: str
    verdict: Verdict | None
    requests: int
    successes: int
    success_rate: float | None
    success_rate_interval: Interval | None
    throughput: float | None
    duration_seconds: float | None
    response_time: Times
    service_time: Times
    time_to_first_byte: Times
    connect_time: Times
    bytes: int
    status_codes: dict[str, int]
    errors: dict[str, int]
    causes: list[Cause]
    dropped: int
    cancelled: int
    lateness: Lateness
    generator: GeneratorHealth
    expectations: list[CriterionResult]


def summarise(measured: Measured) -> Summary:
    """The numbers of a load."""
    samples, plan = measured.samples, measured.test.plan
    counts = samples.counts("outcome")
    cancelled = counts.pop(str(Outcome.CANCELLED), 0)
    succeeded = counts.pop(str(Outcome.SUCCESS), 0)
    success = rate(samples, RATES["success_rate"])
    saturated = measured.saturated or late_starts(samples)
    cpu = _known(measured.cpu_percent)
    caution = near_capacity(samples, plan.connections, measured.calibration, cpu)
    expectations = judge_expectations(
        measured.test.criteria,
        samples,
        saturated=measured.saturated,
        caution=caution,
        calibration=measured.calibration,
        unfinished=measured.stop_reason,
    )
    statuses = samples.number("status")
    codes, sizes = np.unique(statuses[statuses > 0].astype(int), return_counts=True)
    opened = samples.where(samples.number("reused") == 0)
    return Summary(
        version=__version__,
        started=measured.clock.wall_start.isoformat(timespec="milliseconds"),
        url=Mask(measured.test.secrets, keep=plan.tag).text(plan.request.url),
        method=plan.request.method,
        shape=describe(plan.shape),
        connections=plan.connections,
        timeout_seconds=plan.timeout_seconds,
        tag=plan.tag,
        status=measured.status,
        stop_reason=measured.stop_reason,
        verdict=combine(result.verdict for result in expectations) if expectations else None,
        requests=len(samples) - cancelled,
        successes=succeeded,
        success_rate=success.value,
        success_rate_interval=success.interval,
        throughput=VALUES["throughput"](samples).value,
        duration_seconds=VALUES["duration"](samples).value,
        response_time=_times(samples, "response_time"),
        service_time=_times(samples, "service_time"),
        time_to_first_byte=_times(samples, "time_to_first_byte"),
        connect_time=_times(opened, "connect_time"),
        bytes=int(np.nansum(samples.number("bytes_received"))),
        status_codes=dict(zip(map(str, codes.tolist()), sizes.tolist(), strict=True)),
        errors=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        causes=causes_of(samples.where(~is_outcome(samples, Outcome.CANCELLED))),
        dropped=counts.get(str(Outcome.DROPPED), 0),
        cancelled=cancelled,
        lateness=_lateness(samples),
        generator=GeneratorHealth(
            cpu=cpu,
            lag=_known(_longest(measured.health.number("loop_lag_seconds"))),
            saturated=bool(saturated),
            reason=saturated,
            caution=caution,
        ),
        expectations=expectations,
    )


def _times(samples: Table, name: str) -> Times:
    values = times_of(samples, name)
    if values is None or not values.size:
        return Times(n=0)
    # Sorted once: each percentile and its interval sort again, and that is quick of a sorted one.
    values = np.sort(values)
    found: dict[str, float | None] = {}
    intervals: dict[str, Interval] = {}
    for percentile in _SHOWN_PERCENTILES:
        measurement = aggregate(values, f"p({percentile[1:]})")
        found[percentile] = measurement.value
        if measurement.interval is not None:
            intervals[percentile] = measurement.interval
    return Times(
        n=int(values.size),
        mean=float(values.mean()),
        stddev=float(values.std()),
        min=float(values[0]),
        max=float(values[-1]),
        intervals=intervals,
        **found,
    )


def _lateness(samples: Table) -> Lateness:
    late = samples.number("started") - samples.number("due")
    late = late[np.isfinite(late)]
    if not late.size:
        return Lateness()
    middle, high = np.percentile(late, [50, 99])
    return Lateness(p50=float(middle), p99=float(high), max=float(late.max()))


def _longest(values: Floats) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
