"""Lay out charts that stand below each other, with room for their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["arrange"]

_EDGE_POINTS = 4.0
_GAP_POINTS = 7.0
_POINTS_PER_INCH = 72.0
# About what it comes to, so that the axes choose their ticks for about the room they get.
_LEFT, _RIGHT = 0.09, 0.97


def arrange(figure: Figure) -> None:
    """Give each axes its place, in one column, of heights in the ratio that was asked for.

    Matplotlib's constrained layout measures all words twice and takes more than twice as long.
    The canvas must be one that renders (Agg).
    """
    rows: dict[int, list[Axes]] = {}
    for axes in figure.axes:
        place = axes.get_subplotspec()
        rows.setdefault(place.rowspan.start if place else 0, []).append(axes)
    figure.subplots_adjust(left=_LEFT, right=_RIGHT)
    width, height = figure.bbox.width, figure.bbox.height
    point = figure.dpi / _POINTS_PER_INCH
    margins = {row: _margins(listed) for row, listed in rows.items()}
    left = max(held[0] for held in margins.values()) + _EDGE_POINTS * point
    right = max(held[1] for held in margins.values()) + _EDGE_POINTS * point
    words = sum(held[2] + held[3] for held in margins.values())
    gaps = (len(rows) - 1) * _GAP_POINTS + 2 * _EDGE_POINTS
    free = max(height - words - gaps * point, 0.1 * height)
    grid = figure.axes[0].get_gridspec()
    ratios = np.array(grid.get_height_ratios() if grid else [1.0] * len(rows), dtype=np.float64)
    ratios /= ratios.sum()
    top = height - _EDGE_POINTS * point
    for row in sorted(rows):
        _, _, above, below = margins[row]
        tall = free * float(ratios[row])
        bottom = top - above - tall
        box = (left / width, bottom / height, (width - left - right) / width, tall / height)
        for axes in rows[row]:
            axes.set_position(box)
        top = bottom - below - _GAP_POINTS * point


def _margins(listed: list[Axes]) -> tuple[float, float, float, float]:
    """What the words of axes in one place need left, right, above and below, in pixels."""
    found = []
    for axes in listed:
        box = axes.get_window_extent()
        whole = axes.get_tightbbox(for_layout_only=True) or box
        found.append((box.x0 - whole.x0, whole.x1 - box.x1, whole.y1 - box.y1, box.y0 - whole.y0))
    left, right, above, below = (max(0.0, *held) for held in zip(*found, strict=True))
    return left, right, above, below
