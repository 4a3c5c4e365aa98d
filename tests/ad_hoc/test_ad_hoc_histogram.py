"""Histograms: every value in one bin, the tail in sight, no line too long."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.ad_hoc.histogram import bins, lines

_BAR = re.compile(r"(?:ms|s )  [█▏▎▍▌▋▊▉#.]")
values = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=60)


@given(values)
def test_every_value_is_in_one_bin(found: list[float]) -> None:
    drawn = bins(np.array(found))
    assert 1 <= len(drawn) <= 15
    assert sum(held.count for held in drawn) == len(found)
    assert all(before.high == after.low for before, after in pairwise(drawn))
    assert all(held.low < held.high for held in drawn)


@given(values, st.integers(60, 200), st.booleans())
def test_lines_fit_and_every_bin_with_values_has_a_bar(
    found: list[float],
    width: int,
    ascii_only: bool,  # noqa: FBT001 (hypothesis)
) -> None:
    drawn = lines(np.array(found), width, ascii_only=ascii_only)
    assert max(map(len, drawn)) <= width
    for line in drawn:
        assert line.isascii() or not ascii_only
        assert ("%" in line) == (_BAR.search(line) is not None)


def test_a_tail_is_seen_beside_thousands() -> None:
    spread = np.concatenate([np.full(9_999, 0.02), [1.2]])
    drawn = lines(spread, 80, ascii_only=False)
    assert drawn[-1].lstrip().startswith("1 \u2013 ")
    assert drawn[-1].endswith("1  <0.1 %")
    assert "▏" in drawn[-1]
    assert any("…" in line for line in drawn)


def test_even_values_have_even_bins() -> None:
    drawn = bins(np.linspace(0.010, 0.020, 100))
    widths = [held.high - held.low for held in drawn]
    assert max(widths) - min(widths) < 1e-9
    assert len(drawn) >= 7
