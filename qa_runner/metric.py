"""Metric names, their units, and the aggregates that may be asked of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

__all__ = [
    "METRICS",
    "Kind",
    "Metric",
    "Unit",
    "is_aggregate",
    "parse_quantity",
    "percentile_of",
    "registry",
]


class Unit(StrEnum):
    """Base units. What is measured is kept in these; criteria may use multiples of them."""

    SECONDS = "s"
    PERCENT = "%"
    BYTES = "bytes"
    RATE = "req/s"
    COUNT = "count"
    BYTES_PER_100_REQUESTS = "bytes per 100 requests"


class Kind(StrEnum):
    """Where a metric comes from, which decides the aggregates it takes."""

    SAMPLES = "samples"
    """One value for each request: needs an aggregate."""
    SERIES = "series"
    """A monitor's series over the part's window: needs an aggregate."""
    VALUE = "value"
    """One number for the part: takes no aggregate."""


_SAMPLE_AGGREGATES = frozenset({"mean", "median", "min", "max", "stddev", "drift", "range"})
_SERIES_AGGREGATES = _SAMPLE_AGGREGATES | {"growth", "slope"}
_PERCENTILE = re.compile(r"p\((\d{1,2}(?:\.\d+)?)\)\Z")


@dataclass(frozen=True, slots=True)
class Metric:
    """A measurable quantity.

    ``unit`` is the base unit of its values. ``load`` says that a slow generator could make it
    look worse than the server is; ``requires`` names a data source (``server_log``,
    ``database_time``) without which criteria of this metric are not part of the run. ``compute``
    derives a value from the samples (a :class:`qa_runner.table.Table`) of a part or step; None
    from it means not measured. ``needs`` names the monitor without which it is not measured
    (``server``, ``database``, ``log``), so that it can be told before the run.
    """

    name: str
    unit: Unit
    kind: Kind
    description: str
    load: bool = False
    requires: str = ""
    needs: str = ""
    compute: Callable[[Any], float | None] | None = None

    def aggregate_unit(self, aggregate: str) -> Unit:
        """The unit of an aggregate of this metric: a slope is per 100 requests."""
        if aggregate == "slope":
            return Unit.BYTES_PER_100_REQUESTS
        return self.unit


def is_aggregate(kind: Kind, text: str) -> bool:
    """Whether ``text`` is an aggregate that a metric of this kind takes."""
    if kind is Kind.VALUE:
        return text == ""
    if _PERCENTILE.match(text):
        return True
    return text in (_SAMPLE_AGGREGATES if kind is Kind.SAMPLES else _SERIES_AGGREGATES)


def percentile_of(aggregate: str) -> float | None:
    """The percentile that ``p(95)`` asks for, in percent; None for any other aggregate."""
    match = _PERCENTILE.match(aggregate)
    return float(match[1]) if match else None


_SAMPLES, _SERIES, _VALUE = Kind.SAMPLES, Kind.SERIES, Kind.VALUE
_S, _PCT, _B, _R, _N = Unit.SECONDS, Unit.PERCENT, Unit.BYTES, Unit.RATE, Unit.COUNT


def _table(metrics: Iterable[Metric]) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


METRICS: Mapping[str, Metric] = _table(
    (
        # From the samples of the part's load.
        Metric("requests", _N, _VALUE, "requests that were due"),
        Metric("success_rate", _PCT, _VALUE, "successes among the requests due", load=True),
        Metric("error_rate", _PCT, _VALUE, "requests due that did not succeed", load=True),
        Metric("server_error_rate", _PCT, _VALUE, "responses 5xx among requests due", load=True),
        Metric("client_error_rate", _PCT, _VALUE, "responses 4xx among requests due", load=True),
        Metric("timeout_rate", _PCT, _VALUE, "requests that timed out", load=True),
        Metric("connection_error_rate", _PCT, _VALUE, "requests without a connection", load=True),
        Metric("response_time", _S, _SAMPLES, "from due to finished", load=True),
        Metric("service_time", _S, _SAMPLES, "from started to finished", load=True),
        Metric("connect_time", _S, _SAMPLES, "from started to connected", load=True),
        Metric("time_to_first_byte", _S, _SAMPLES, "from started to first byte", load=True),
        Metric("throughput", _R, _VALUE, "successful responses per second", load=True),
        Metric("duration", _S, _VALUE, "from first request due to last finished", load=True),
        Metric("dropped_iterations", _N, _VALUE, "work due that could not start", load=True),
        Metric("status", _N, _VALUE, "HTTP status of the one request"),
        Metric("silent_failures", _N, _VALUE, "responses 2xx without a valid body"),
        Metric("malformed_errors", _N, _VALUE, "error responses that are not JSON objects"),
        # From Server-Timing headers.
        Metric(
            "application_time",
            _S,
            _SAMPLES,
            "time in the application, the database included",
            requires="application_time",
        ),
        Metric("database_time", _S, _SAMPLES, "time in the database", requires="database_time"),
        Metric("query_count", _N, _SAMPLES, "database queries", requires="query_count"),
        # From the monitors, over the part's window.
        Metric("server_processes", _N, _VALUE, "processes of the server found", needs="server"),
        Metric(
            "server_memory",
            _B,
            _SERIES,
            "resident memory of the server's process tree",
            needs="server",
        ),
        Metric(
            "server_cpu", _PCT, _SERIES, "CPU of the server's tree over its workers", needs="server"
        ),
        Metric(
            "server_restarts", _N, _VALUE, "times a process of the server ended", needs="server"
        ),
        Metric(
            "database_connections",
            _N,
            _SERIES,
            "the server's open database connections",
            needs="database",
        ),
        Metric("query_time", _S, _SERIES, "time of the probe's fixed query", needs="database"),
        Metric("lock_errors", _N, _VALUE, "lock errors in server log and responses", needs="log"),
        Metric(
            "deadlocks",
            _N,
            _VALUE,
            "deadlocks in log, responses and the database's statistics",
            needs="log",
        ),
        Metric(
            "database_timeouts", _N, _VALUE, "database timeouts in log and responses", needs="log"
        ),
        Metric(
            "unlogged_server_errors",
            _N,
            _VALUE,
            "responses 5xx that left no line in the server log",
            requires="server_log",
        ),
    )
)


def registry(own: Iterable[Metric]) -> Mapping[str, Metric]:
    """The known metrics together with those that a test case declares.

    Raises ValueError if a case declares a name that is already taken.
    """
    merged = dict(METRICS)
    for metric in own:
        if metric.name in merged:
            raise ValueError(f"metric '{metric.name}' is already defined")
        merged[metric.name] = metric
    return MappingProxyType(merged)


_MULTIPLES: Mapping[Unit, Mapping[str, float]] = {
    Unit.SECONDS: {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0},
    Unit.PERCENT: {"%": 1.0},
    Unit.BYTES: {"bytes": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "MiB": 2.0**20},
    Unit.RATE: {"req/s": 1.0},
    Unit.COUNT: {"": 1.0},
    Unit.BYTES_PER_100_REQUESTS: {
        f"{name} per 100 requests": factor
        for name, factor in (("bytes", 1.0), ("kB", 1e3), ("MB", 1e6))
    },
}
_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)\Z")


def parse_quantity(text: str, unit: Unit) -> tuple[float, str, float]:
    """Read ``"50 MB"`` as (50.0, "MB", 1e6): number, unit as written, base units in one of it.

    Raises ValueError, with the units that fit, if the text is not a number with such a unit.
    """
    text = " ".join(text.split())  # what is quoted in an error stays one line
    match = _QUANTITY.match(text)
    multiples = _MULTIPLES[unit]
    if match is None or not math.isfinite(float(match[1])):
        raise ValueError(f"'{text}' is not a number")
    number, name = float(match[1]), match[2].strip()
    if name not in multiples:
        fitting = ", ".join(repr(known) if known else "none" for known in multiples)
        if not name:
            raise ValueError(f"'{text}' needs a unit: {fitting}")
        raise ValueError(f"unit '{name}' does not fit; units that do: {fitting}")
    return number, name, multiples[name]
