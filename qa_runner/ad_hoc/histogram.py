"""A histogram in lines of text, as wide as there is room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from qa_runner.report.format import number
from qa_runner.table import Floats

__all__ = ["Bin", "bins", "lines"]

_MOST_BINS = 14
_LOGARITHMIC_FROM = 8.0
"""How many times the median the largest value must be for logarithmic bins."""
_GRIDS = (
    (1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1.0, 2.0, 5.0),
    (1.0, 3.0),
    (1.0,),
)
"""Edges within a decade, from fine to coarse."""
_STEPS = (1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 10.0)
_BLOCKS = "▏▎▍▌▋▊▉█"
_SHORTEST_BAR = 8
_LONGEST_BAR = 60
_LONG_GAP = 3
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Bin:
    """``count`` values from ``low`` up to, not including, ``high``; the last one's included."""

    low: float
    high: float
    count: int


def bins(values: Floats) -> list[Bin]:
    """Up to 14 bins with round edges over positive, finite values, shape (n,), n at least 1.

    They are as wide as each other, or grow with the values where a few of those are far above
    the rest: in equal bins everything else would be in the first.
    """
    low, high = float(values.min()), float(values.max())
    stretched = low > 0 and high > _LOGARITHMIC_FROM * float(np.median(values))
    edges = _logarithmic(low, high) if stretched else _linear(low, high)
    counts, _ = np.histogram(values, np.array(edges))
    return [
        Bin(start, end, int(count))
        for (start, end), count in zip(pairwise(edges), counts, strict=True)
    ]


def _linear(low: float, high: float) -> list[float]:
    rough = max(high - low, high * 1e-3, 1e-6) / (_MOST_BINS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * (1 - 1e-9))
    first = math.floor(low / step)
    count = max(math.ceil(high / step - 1e-9) - first, 1)
    edges = [(first + index) * step for index in range(count + 1)]
    # What floating point took off the ends must not leave a value out.
    return [min(edges[0], low), *edges[1:-1], max(edges[-1], high)]


def _logarithmic(low: float, high: float) -> list[float]:
    edges: list[float] = []
    for grid in _GRIDS:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        every = [factor * 10.0**decade for decade in decades for factor in grid]
        first = max(index for index, edge in enumerate(every) if edge <= low * (1 + 1e-9))
        last = min(index for index, edge in enumerate(every) if edge >= high * (1 - 1e-9))
        edges = every[first : last + 1]
        if len(edges) <= _MOST_BINS + 1:
            break
    return [min(edges[0], low), *edges[1:-1], max(edges[-1], high)]


def lines(values: Floats, width: int, *, ascii_only: bool) -> list[str]:
    """A line for each bin of seconds: its edges, a bar, the count and its share.

    ``width`` is that of the terminal, in characters. Of many empty bins in a row one line tells.
    """
    found = bins(values)
    heads = _heads(found, "-" if ascii_only else "\u2013")
    counts = [f"{held.count:,}" for held in found]
    count_width = max(map(len, counts))
    room = width - len(heads[0]) - count_width - len("    100.0 %  ")
    longest = min(max(room, _SHORTEST_BAR), _LONGEST_BAR)
    most = max(held.count for held in found)
    drawn = []
    for held, head, count in zip(found, heads, counts, strict=True):
        bar = _bar(held.count / most * longest, ascii_only=ascii_only) if held.count else ""
        share = _share(held.count, values.size) if held.count else ""
        drawn.append(f"{head}  {bar:<{longest}}  {count:>{count_width}} {share}".rstrip())
    return _without_gaps(found, drawn, "..." if ascii_only else "\u2026", len(heads[0]) // 2)


def _without_gaps(found: list[Bin], drawn: list[str], dots: str, indent: int) -> list[str]:
    kept: list[str] = []
    for empty, group in groupby(range(len(found)), key=lambda index: found[index].count == 0):
        listed = list(group)
        if empty and len(listed) >= _LONG_GAP:
            kept.append(" " * indent + dots)
        else:
            kept += [drawn[index] for index in listed]
    return kept


def _heads(found: list[Bin], dash: str) -> list[str]:
    """The edges of each bin, in the unit of the upper one, with digits that tell them apart."""
    scales = [("s ", 1.0) if held.high >= 1 else ("ms", 1e3) for held in found]
    for digits in range(2, 10):
        edges = [
            (_edge(held.low * factor, digits), _edge(held.high * factor, digits))
            for held, (_, factor) in zip(found, scales, strict=True)
        ]
        if all(low != high for low, high in edges):
            break
    low_width = max(len(low) for low, _ in edges)
    high_width = max(len(high) for _, high in edges)
    return [
        f"{low:>{low_width}} {dash} {high:>{high_width}} {unit}"
        for (low, high), (unit, _) in zip(edges, scales, strict=True)
    ]


def _edge(value: float, digits: int) -> str:
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _share(count: int, of: int) -> str:
    percent = 100 * count / of
    return f"{percent:5.1f} %" if percent >= _LEAST_SHARE else " <0.1 %"


def _bar(length: float, *, ascii_only: bool) -> str:
    """At least a trace: that there is a tail at all is what one looks for."""
    if ascii_only:
        return "#" * round(length) or "."
    eighths = max(round(length * 8), 1)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_BLOCKS[rest - 1] if rest else "")
