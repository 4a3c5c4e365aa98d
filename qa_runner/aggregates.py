"""Aggregates of values, with their confidence intervals."""

from __future__ import annotations

import numpy as np

from qa_runner import estimate
from qa_runner.criteria import Measurement
from qa_runner.metric import percentile_of
from qa_runner.table import Floats

__all__ = ["LEAST_SLOPE_POINTS", "aggregate", "increase"]

LEAST_SLOPE_POINTS = 5
"""Fewer points say nothing about a trend."""
_SMALL_SAMPLE = 20


def increase(times: Floats, counts: Floats, start: float, end: float) -> float | None:
    """What a running count rose by between two times; None without a reading there.

    ``times`` and ``counts``, each shape (n,), are readings in order; NaN is no reading. It rose
    from the last reading before ``start``, or else from the first one after it.
    """
    known = np.isfinite(counts)
    within = counts[known & (times >= start) & (times <= end)]
    if not within.size:
        return None
    before = counts[known & (times < start)]
    return float(within[-1] - (before[-1] if before.size else within[0]))


def aggregate(values: Floats, name: str, had: str = "were answered") -> Measurement:
    """An aggregate of values in the order in which they were due, shape (n,), n at least 1.

    ``had`` says what requests did that have a value, for the reason why there are too few.
    Raises ValueError for an aggregate that there is not.
    """
    size = int(values.size)
    percent = percentile_of(name)
    if percent is not None:
        return Measurement(
            value=estimate.percentile(values, percent),
            interval=estimate.percentile_interval(values, percent),
            sample_size=size,
            note=f"small sample ({size})" if size < _SMALL_SAMPLE else "",
        )
    match name:
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
            return _drift(values, had)
        case _:
            raise ValueError(f"no aggregate {name}")
    return Measurement(value=value, interval=interval, sample_size=size)


def _drift(values: Floats, had: str) -> Measurement:
    """Theil-Sen slope per request times the number of requests."""
    size = int(values.size)
    if size < LEAST_SLOPE_POINTS:
        return Measurement(reason=f"only {size} requests {had}")
    slope, _, low, high = estimate.theil_sen(np.arange(size, dtype=np.float64), values)
    return Measurement(value=slope * size, interval=(low * size, high * size), sample_size=size)
