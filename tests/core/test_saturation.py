from __future__ import annotations

import math

import pytest
from core_samples import criterion, observe, sample, samples, series

from qa_runner.criteria import judge
from qa_runner.load.plan import Outcome
from qa_runner.result import LoadResult
from qa_runner.saturation import burst_spreads, overworked, saturation, scattered_bursts
from qa_runner.table import Table
from qa_runner.verdict import Verdict


def health(*readings: tuple[float, float, float]) -> Table:
    """Readings of time, CPU in percent of a core, and lag in seconds."""
    names = ("time", "cpu_percent", "loop_lag_seconds")
    return series("generator", *(dict(zip(names, row, strict=True)) for row in readings))


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ([], ""),
        ([(1, 50, 0.01), (2, 60, 0.02)], ""),
        ([(1, 95, 0.01), (2, 97, 0.02), (3, 10, 0.0)], "its CPU reached 97 % of a core"),
        ([(1, 90, 0.0), (2, 90, 0.0)], "its CPU reached 90 % of a core"),
        ([(1, 89.9, 0.249), (2, 89.9, 0.249)], ""),
        ([(1, 99, 0.0), (2, 10, 0.0), (3, 10, 0.0)], ""),  # a neighbour's doing
        ([(1, 99, 0.0)], "its CPU reached 99 % of a core"),  # all there are
        ([(1, 10, 0.3), (2, 10, 0.4)], "its event loop lagged by 400 ms"),
        ([(1, 10, 0.3), (2, 10, 0.0)], ""),
        ([(1, 10, 0.499), (2, 10, 0.0)], ""),
        ([(1, 10, 0.5), (2, 10, 0.0)], "its event loop lagged by 500 ms"),  # it stood still
        ([(1, math.nan, math.nan), (2, 99, math.nan)], ""),
        ([(1, math.nan, 0.3), (2, math.nan, 0.5)], "its event loop lagged by 500 ms"),
        ([(-1, 99, 9.0), (0, 10, 0.0), (10, 10, 0.0), (11, 99, 9.0)], ""),  # outside the window
        ([(0, 99, 0.0), (10, 99, 0.0)], "its CPU reached 99 % of a core"),  # at its edges
    ],
)
def test_two_readings_above_a_limit_or_all_there_are(
    readings: list[tuple[float, float, float]], said: str
) -> None:
    assert saturation(health(*readings), 0, 10) == said


@pytest.mark.parametrize(
    ("cpu", "seconds", "said"),
    [
        (95.0, 0.3, "it used 95 % of a core"),
        (90.0, 60.0, "it used 90 % of a core"),
        (89.9, 0.3, ""),
        (100.0, 0.1, ""),  # too short to be counted in hundredths of a second
        (None, 60.0, ""),
    ],
)
def test_a_load_between_two_readings_is_judged_by_its_own_cpu(
    cpu: float | None, seconds: float, said: str
) -> None:
    load = LoadResult(
        number=1,
        role="main",
        tag="t",
        shape="burst of 5",
        request="GET /",
        connections="new",
        timeout_seconds=10,
        start=5.0,
        end=5.0 + seconds,
        generator_cpu_percent=cpu,
    )
    assert overworked(load) == said


# ---------------------------------------------------------------- bursts


def burst(
    *starts: float, due: float = 0.0, stagger: float = 0.0, seconds: float = 0.1, load: int = 1
) -> Table:
    """Requests of a burst, each started so long after it was due."""
    rows = [
        sample(
            due=due + index * stagger,
            started=due + index * stagger + late,
            finished=due + index * stagger + late + seconds,
            iteration=index,
            load=load,
        )
        for index, late in enumerate(starts)
    ]
    return samples(*rows)


SPREAD = (0.0, 0.0, 0.0, 0.08)


@pytest.mark.parametrize(
    ("table", "requests", "ms"),
    [
        (burst(*SPREAD), 4, 68),
        (burst(*SPREAD, due=70.0, stagger=0.02), 4, 68),
        (burst(0.0, 0.0, 0.0, 0.05), 4, 0),  # 95 % of them were together
        (burst(0.09, 0.09, 0.09, 0.09), 4, 0),  # late, but together
        (burst(*[0.0] * 4, stagger=0.5), 4, 0),  # meant to be apart
        (burst(*SPREAD, seconds=5.0), 4, 0),  # next to nothing of five seconds
        (burst(0.0, 0.0, 0.0, 0.8, seconds=5.0), 4, 680),
        (burst(0.0), 1, 0),
        (burst(0.0, 0.0, 0.09, 0.09), 2, 0),  # the second of two bursts was late as a whole
        (burst(0.0, 0.0, 0.0, 0.09), 2, 85),
        (burst(*SPREAD, load=2), 4, 0),  # of another load
        (samples(), 4, 0),
        (samples(*[sample(Outcome.DROPPED, iteration=n) for n in range(4)]), 4, 0),
    ],
)
def test_the_starts_of_a_burst_must_not_be_spread(table: Table, requests: int, ms: int) -> None:
    said = f"the starts of a burst were spread over {ms} ms" if ms else ""
    assert scattered_bursts(table, {1: requests}) == said
    assert not scattered_bursts(table, {})


def test_the_spread_of_each_burst_and_the_time_it_took() -> None:
    first, second = burst_spreads(burst(0.0, 0.0, 0.1, 0.3, seconds=1.0), 2)
    assert first == pytest.approx((0.0, 1.0))
    assert second == pytest.approx((0.19, 1.3))


@pytest.mark.parametrize("scattered", ["", "the starts of a burst were spread over 90 ms"])
def test_a_burst_that_was_none_is_neither_passed_nor_failed(scattered: str) -> None:
    observation = observe(burst(*SPREAD), scattered=scattered)
    for text, otherwise in (
        ("success_rate == 100 %", Verdict.PASS),
        ("response_time max < 10 ms", Verdict.FAIL),
    ):
        rule = criterion(text)
        result = judge(rule, observation.measure(rule))
        assert result.verdict is (Verdict.ERROR if scattered else otherwise)
        assert scattered in result.note
    other = criterion("silent_failures == 0")
    assert judge(other, observation.measure(other)).verdict is Verdict.PASS
