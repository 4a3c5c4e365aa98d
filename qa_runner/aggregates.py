"""Aggregates of values, with their confidence intervals."""

from __future__ import annotations

import numpy as np

from qa_runner import estimate
from qa_runner.criteria import Measurement
from qa_runner.metric import percentile_of
from qa_runner.table import Floats

__all__ = ["LEAST_SLOPE_POINTS", "aggregate"]

LEAST_SLOPE_POINTS = 5
"""Fewer points say nothing about a trend."""
_SMALL_SAMPLE = 20


def aggregate(values: Floats, name: str) -> Measurement:
    """An aggregate of values in the order in which they were due, shape (n,), n at least 1.

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
            return _drift(values)
        case _:
            raise ValueError(f"no aggregate {name}")
    return Measurement(value=value, interval=interval, sample_size=size)


def _drift(values: Floats) -> Measurement:
    """Theil-Sen slope per request times the number of requests."""
    size = int(values.size)
    if size < LEAST_SLOPE_POINTS:
        return Measurement(reason=f"only {size} requests were answered")
    slope, _, low, high = estimate.theil_sen(np.arange(size, dtype=np.float64), values)
    return Measurement(value=slope * size, interval=(low * size, high * size), sample_size=size)
