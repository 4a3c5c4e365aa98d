"""Estimates from samples, and 95 % confidence intervals beside them.

Pure functions of finite numbers; the unit of a result is that of its input. What cannot be
estimated from so few values has the interval None. Random resampling is seeded, so that the same
values always give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from qa_runner.table import Floats

__all__ = [
    "Interval",
    "mean_interval",
    "percentile",
    "percentile_interval",
    "rate_interval",
    "stddev_interval",
    "theil_sen",
]

Interval = tuple[float, float]
Values = Sequence[float] | Floats

_Z = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""
_TAIL = 0.025
_RESAMPLES = 1000
_DRAWS_AT_ONCE = 500_000
_MOST_POINTS = 1000


def percentile(values: Values, q: float) -> float:
    """The ``q``-th percentile (0 to 100), linearly interpolated between the closest ranks.

    This is NumPy's default and R's type 7. Raises ValueError without values, if one is not
    finite, or if ``q`` is out of range.
    """
    data = _checked(values)
    if not 0 <= q <= 100:  # noqa: PLR2004 (percent)
        raise ValueError(f"percentile {q:g} is not between 0 and 100")
    return float(np.percentile(data, q))


def percentile_interval(values: Values, q: float) -> Interval | None:
    """Distribution-free 95 % interval of a percentile, from order statistics.

    The ranks come from the binomial distribution (Conover, Practical Nonparametric Statistics,
    3.2), so the coverage is at least 95 %. None where the sample is too small to have such ranks:
    the 95th percentile needs 72 values. Raises ValueError as :func:`percentile` does.
    """
    from scipy.stats import binom  # type: ignore[import-untyped]  # noqa: PLC0415 (heavy)

    percentile(values, q)
    data = np.sort(_checked(values))
    lower = int(binom.ppf(_TAIL, data.size, q / 100))
    upper = int(binom.ppf(1 - _TAIL, data.size, q / 100)) + 1
    if lower < 1 or upper > data.size:
        return None
    return float(data[lower - 1]), float(data[upper - 1])


def rate_interval(successes: int, n: int) -> Interval:
    """Wilson's score interval (Wilson 1927), 95 %, of the rate ``successes / n``; in 0 to 1.

    Raises ValueError if ``n`` is not positive or ``successes`` is not between 0 and ``n``.
    """
    if n <= 0:
        raise ValueError("a rate needs at least one value")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    rate = successes / n
    scale = 1 + _Z**2 / n
    centre = (rate + _Z**2 / (2 * n)) / scale
    half = _Z * math.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n**2)) / scale
    # At the ends the bound is exact; rounding must not move it.
    low = 0.0 if successes == 0 else max(centre - half, 0.0)
    high = 1.0 if successes == n else min(centre + half, 1.0)
    return low, high


def mean_interval(values: Values) -> Interval | None:
    """95 % percentile-bootstrap interval of the mean (1000 resamples); None for one value.

    Raises ValueError without values or if one is not finite.
    """
    return _bootstrap(values, lambda drawn: drawn.mean(axis=1))


def stddev_interval(values: Values) -> Interval | None:
    """As :func:`mean_interval`, of the standard deviation of the population."""
    return _bootstrap(values, lambda drawn: drawn.std(axis=1))


def _bootstrap(values: Values, statistic: Callable[[Floats], Floats]) -> Interval | None:
    data = _checked(values)
    if data.size == 1:
        return None
    random = np.random.default_rng(0)
    rows = max(_DRAWS_AT_ONCE // data.size, 1)
    found: list[Floats] = []
    for start in range(0, _RESAMPLES, rows):
        count = min(rows, _RESAMPLES - start)
        found.append(statistic(data[random.integers(0, data.size, (count, data.size))]))
    low, high = np.percentile(np.concatenate(found), [100 * _TAIL, 100 * (1 - _TAIL)])
    return float(low), float(high)


def theil_sen(x: Values, y: Values) -> tuple[float, float, float, float]:
    """A robust line through points: (slope, intercept, low, high), the slope's 95 % interval.

    The slope is the median of the slopes between all pairs of points (Theil 1950, Sen 1968). Of
    more than 1000 points, 1000 evenly spaced ones are taken, the first and the last among them,
    since the pairs grow with the square. Where ties leave the interval undefined, it spans all
    slopes, which covers at least as much. Raises ValueError with fewer than two different ``x``,
    if the lengths differ, or if a value is not finite.
    """
    from scipy.stats import theilslopes  # noqa: PLC0415 (heavy)

    across, up = _checked(x), _checked(y)
    if across.size != up.size:
        raise ValueError(f"{across.size} values of x and {up.size} of y")
    if across.size > _MOST_POINTS:
        picked = np.linspace(0, across.size - 1, _MOST_POINTS).round().astype(int)
        across, up = across[picked], up[picked]
    if np.ptp(across) == 0:
        raise ValueError("a slope needs two different values of x")
    with np.errstate(invalid="ignore"):
        line = theilslopes(up, across, alpha=0.95)
    slope, intercept, low, high = (float(value) for value in line)
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = _extreme_slopes(across, up)
    return slope, intercept, low, high


def _extreme_slopes(x: Floats, y: Floats) -> Interval:
    run, rise = np.subtract.outer(x, x), np.subtract.outer(y, y)
    slopes = rise[run > 0] / run[run > 0]
    return float(slopes.min()), float(slopes.max())


def _checked(values: Values) -> Floats:
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ValueError("no values")
    if not np.isfinite(data).all():
        raise ValueError("a value is not finite")
    return data
