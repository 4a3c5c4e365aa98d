from __future__ import annotations

import math

import pytest
from core_samples import series

from qa_runner.saturation import saturation
from qa_runner.table import Table


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
