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
_MANY = 10_000
"""So many values are enough for the central limit theorem, and too many to resample quickly."""
_MOST_POINTS = 1000


def percentile(values: Values, q: float) -> float:
    """The ``q``-th percentile (0 to 100), linearly interpolated between the closest ranks.

    This is NumPy's default and R's type 7. Raises ValueError without values, if one is not
    finite, or if ``q`` is out of range.
    """
    data = _checked(values)
    _check_percent(q)
    return float(np.percentile(data, q))


def _check_percent(q: float) -> None:
    if not 0 <= q <= 100:  # noqa: PLR2004 (percent)
        raise ValueError(f"percentile {q:g} is not between 0 and 100")


def percentile_interval(values: Values, q: float) -> Interval | None:
    """Distribution-free 95 % interval of a percentile, from order statistics.

    The ranks come from the binomial distribution (Conover, Practical Nonparametric Statistics,
    3.2), so the coverage is at least 95 %. None where the sample is too small to have such ranks:
    the 95th percentile needs 72 values. Raises ValueError as :func:`percentile` does.
    """
    data = _checked(values)
    _check_percent(q)
    lower = _binomial_quantile(_TAIL, data.size, q / 100)
    upper = _binomial_quantile(1 - _TAIL, data.size, q / 100) + 1
    if lower < 1 or upper > data.size:
        return None
    ordered = np.partition(data, (lower - 1, upper - 1))
    return float(ordered[lower - 1]), float(ordered[upper - 1])


def _binomial_quantile(probability: float, trials: int, chance: float) -> int:
    """The least number of successes that is not exceeded with this probability or more."""
    # Not scipy.stats: it takes a second and 50 MB to load.
    from scipy.special import bdtr  # type: ignore[import-untyped]  # noqa: PLC0415 (heavy)

    low, high = 0, trials
    while low < high:
        middle = (low + high) // 2
        if bdtr(middle, trials, chance) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


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
    """95 % interval of the mean; None for one value.

    The percentile bootstrap (1000 resamples) of fewer than 10,000 values. From there on the
    normal approximation, mean ± z·s/√n, which the bootstrap approaches by the central limit
    theorem. Raises ValueError without values or if one is not finite.
    """
    data = _checked(values)
    if data.size < _MANY:
        return _bootstrap(data, lambda drawn: drawn.mean(axis=1))
    middle, half = float(data.mean()), _Z * float(data.std()) / math.sqrt(data.size)
    return middle - half, middle + half


def stddev_interval(values: Values) -> Interval | None:
    """As :func:`mean_interval`, of the standard deviation of the population.

    The normal approximation has the standard error √((m - s⁴)/n) / 2s, with m the fourth
    central moment: the variance's, taken through the root by the delta method (Cramér,
    Mathematical Methods of Statistics, 27.4 and 28.4).
    """
    data = _checked(values)
    if data.size < _MANY:
        return _bootstrap(data, lambda drawn: drawn.std(axis=1))
    spread = float(data.std())
    if spread == 0:
        return 0.0, 0.0
    squares = ((data - data.mean()) / spread) ** 2
    # In units of s: m/s⁴ is the mean of the squares' squares.
    kurtosis = float(np.mean(squares * squares))
    half = _Z * spread * math.sqrt(max(kurtosis - 1, 0.0) / data.size) / 2
    return max(spread - half, 0.0), spread + half


def _bootstrap(data: Floats, statistic: Callable[[Floats], Floats]) -> Interval | None:
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
    slopes, which covers at least as much. The interval is that of Sen 1968, equation 2.6, as
    scipy.stats.theilslopes computes it. Raises ValueError with fewer than two different ``x``,
    if the lengths differ, or if a value is not finite.
    """
    across, up = _checked(x), _checked(y)
    if across.size != up.size:
        raise ValueError(f"{across.size} values of x and {up.size} of y")
    if across.size > _MOST_POINTS:
        picked = np.linspace(0, across.size - 1, _MOST_POINTS).round().astype(int)
        across, up = across[picked], up[picked]
    if np.ptp(across) == 0:
        raise ValueError("a slope needs two different values of x")
    rise, run = np.subtract.outer(up, up), np.subtract.outer(across, across)
    forward = run > 0
    slopes = np.sort(rise[forward] / run[forward])
    slope = float(np.median(slopes))
    low, high = _slope_ranks(across, up, slopes.size)
    return (
        slope,
        float(np.median(up) - slope * np.median(across)),
        float(slopes[low]),
        float(slopes[high]),
    )


def _slope_ranks(x: Floats, y: Floats, pairs: int) -> tuple[int, int]:
    """Places of the interval's ends among the ordered slopes."""
    size = y.size
    variance = (
        size * (size - 1) * (2 * size + 5) - _tied(x) - _tied(y)  # 18 times the variance
    ) / 18
    if variance < 0:
        return 0, pairs - 1
    reach = _Z * math.sqrt(variance)
    low = max(round((pairs - reach) / 2) - 1, 0)
    return low, min(round((pairs + reach) / 2), pairs - 1)


def _tied(values: Floats) -> int:
    _, counts = np.unique(values, return_counts=True)
    return int(np.sum(counts * (counts - 1) * (2 * counts + 5)))


def _checked(values: Values) -> Floats:
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ValueError("no values")
    if not np.isfinite(data).all():
        raise ValueError("a value is not finite")
    return data
