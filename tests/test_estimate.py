"""Estimates against known values and against scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, binomtest, theilslopes  # type: ignore[import-untyped]

from qa_runner import estimate


def test_percentile_interpolates_linearly() -> None:
    assert estimate.percentile([1, 2, 3, 4], 50) == 2.5
    assert estimate.percentile([1, 2, 3, 4, 5], 95) == pytest.approx(4.8)
    assert estimate.percentile([7], 95) == 7


@pytest.mark.parametrize("q", [-1, 101, float("nan")])
def test_percentile_out_of_range_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        estimate.percentile([1.0], q)


@pytest.mark.parametrize(
    "function",
    [
        lambda values: estimate.percentile(values, 50),
        lambda values: estimate.percentile_interval(values, 50),
        estimate.mean_interval,
        estimate.stddev_interval,
        lambda values: estimate.theil_sen(values, values),
    ],
)
def test_no_values_and_nan_are_refused(function: object) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match="no values"):
        function([])
    with pytest.raises(ValueError, match="not finite"):
        function([1.0, float("nan")])


def test_percentile_interval_needs_enough_values() -> None:
    assert estimate.percentile_interval([1.0], 50) is None
    assert estimate.percentile_interval(list(range(71)), 95) is None
    assert estimate.percentile_interval(list(range(72)), 95) is not None


@pytest.mark.parametrize(("n", "q"), [(10, 50), (100, 50), (240, 95), (1000, 99)])
def test_percentile_interval_covers_95_percent(n: int, q: float) -> None:
    found = estimate.percentile_interval(np.arange(1.0, n + 1), q)
    assert found is not None
    lower, upper = int(found[0]), int(found[1])  # the values are their own ranks
    coverage = binom.cdf(upper - 1, n, q / 100) - binom.cdf(lower - 1, n, q / 100)
    assert 0.95 <= coverage < 0.99
    assert lower <= estimate.percentile(np.arange(1.0, n + 1), q) <= upper


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (1, 5), (5, 5), (228, 240), (1, 1)])
def test_rate_interval_is_wilsons(successes: int, n: int) -> None:
    wanted = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert estimate.rate_interval(successes, n) == pytest.approx((wanted.low, wanted.high))


def test_rate_interval_is_exact_at_the_ends() -> None:
    assert estimate.rate_interval(0, 7)[0] == 0.0
    assert estimate.rate_interval(7, 7)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (2, 1), (-1, 3)])
def test_impossible_rates_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"rate|successes"):
        estimate.rate_interval(successes, n)


def test_bootstrap_agrees_with_theory_and_with_itself() -> None:
    values = np.random.default_rng(3).normal(10, 2, 400)
    found = estimate.mean_interval(values)
    assert found is not None
    half = 1.96 * values.std() / 20
    assert found == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)
    assert found == estimate.mean_interval(values.tolist())
    spread = estimate.stddev_interval(values)
    assert spread is not None
    assert spread[0] < values.std() < spread[1]
    assert spread[1] - spread[0] < 0.5


def test_one_value_has_no_interval() -> None:
    assert estimate.mean_interval([3.0]) is None
    assert estimate.stddev_interval([3.0]) is None


def test_many_values_take_bounded_memory_and_agree() -> None:
    values = np.linspace(0, 1, 600_000)  # more than are drawn at once
    found = estimate.percentile_interval(values, 95)
    assert found == pytest.approx((0.95, 0.95), abs=0.01)


def test_theil_sen_ignores_outliers() -> None:
    x = np.arange(50.0)
    y = 3 * x + 2
    y[[5, 20, 40]] = 1e6
    slope, intercept, low, high = estimate.theil_sen(x, y)
    assert slope == pytest.approx(3)
    assert intercept == pytest.approx(2, abs=10)
    assert low <= slope <= high


def test_theil_sen_thins_deterministically() -> None:
    x = np.arange(20_000.0)
    y = 0.5 * x + np.sin(x)
    assert estimate.theil_sen(x, y) == estimate.theil_sen(x, y)
    assert estimate.theil_sen(x, y)[0] == pytest.approx(0.5, abs=1e-3)


def test_theil_sen_needs_two_places_and_equal_lengths() -> None:
    with pytest.raises(ValueError, match="two different"):
        estimate.theil_sen([1.0], [2.0])
    with pytest.raises(ValueError, match="two different"):
        estimate.theil_sen([1.0, 1.0], [2.0, 3.0])
    with pytest.raises(ValueError, match="values of x"):
        estimate.theil_sen([1.0, 2.0], [2.0])


def test_theil_sen_has_a_finite_interval_among_ties() -> None:
    x = np.array([0.0] * 12 + [1.0] * 12)
    y = np.array([5.0] * 23 + [6.0])
    slope, _, low, high = estimate.theil_sen(x, y)
    assert (slope, low, high) == (0.0, 0.0, 1.0)
    assert estimate.theil_sen(x, np.full(24, 5.0))[2:] == (0.0, 0.0)


@pytest.mark.parametrize("n", [1, 2, 72, 999, 12_345, 1_000_000])
@pytest.mark.parametrize("q", [0, 1, 50, 95, 99.9, 100])
def test_the_ranks_of_a_percentile_interval_are_those_of_scipy_stats(n: int, q: float) -> None:
    found = estimate.percentile_interval(np.arange(1.0, n + 1), q)
    lower, upper = binom.ppf(0.025, n, q / 100), binom.ppf(0.975, n, q / 100) + 1
    assert found == ((lower, upper) if lower >= 1 and upper <= n else None)


@pytest.mark.parametrize("seed", range(8))
def test_theil_sen_is_that_of_scipy_stats(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, 30, 60).astype(float) if seed % 2 else np.sort(random.random(60))
    y = random.integers(0, 9, 60).astype(float) if seed % 3 else random.normal(size=60)
    assert estimate.theil_sen(x, y) == pytest.approx(tuple(theilslopes(y, x, alpha=0.95)))


@pytest.mark.parametrize("interval", [estimate.mean_interval, estimate.stddev_interval])
def test_from_ten_thousand_values_on_the_normal_approximation_agrees_with_the_bootstrap(
    interval: Callable[[estimate.Values], estimate.Interval | None],
) -> None:
    values = np.random.default_rng(5).lognormal(0, 0.5, 10_000)
    resampled, approximated = interval(values[:-1]), interval(values)
    assert resampled
    assert approximated
    width = resampled[1] - resampled[0]
    assert approximated == pytest.approx(resampled, abs=0.1 * width)
    assert interval(np.full(20_000, 3.0)) == (interval([3.0, 3.0]))


def test_intervals_of_the_normal_approximation_cover_what_they_should() -> None:
    random = np.random.default_rng(11)
    mean = spread = 0
    for _ in range(200):
        values = random.exponential(2.0, 10_000)
        low, high = estimate.mean_interval(values) or (0.0, 0.0)
        mean += low <= 2.0 <= high
        low, high = estimate.stddev_interval(values) or (0.0, 0.0)
        spread += low <= 2.0 <= high
    assert 180 <= mean <= 199
    assert 180 <= spread <= 199
