"""What a script needs to read values off a figure: which lines are data, on which scales."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = ["clock", "mark", "share"]

MARK = "series"
"""Begins the id of what is data; the number of its axes and its name follow."""
_UNIT = re.compile(r"\[([^\]]+)\]")
_COUNT = re.compile(r" \([\d,]+\)$")
_POINTS_PER_INCH = 72.0


def clock(axis: Axis, spans: Iterable[tuple[float, float]]) -> None:
    """Name ``axis`` a clock: each span is where it begins on the axis, and the seconds there."""
    axis.set_gid("clock " + json.dumps([[round(place, 2), round(at, 2)] for place, at in spans]))


def share(axis: Axis) -> None:
    """Name ``axis`` one of percentiles: minus the decimal logarithm of the share above."""
    axis.set_gid("share")


def mark(figure: Figure) -> str:
    """Mark the data of a figure that has its layout; returns its axes as JSON.

    For each of them left, top, right and bottom in points, then the horizontal and the vertical
    scale: its value at the left or bottom, that at the right or top, its kind and its unit.
    """
    width, height = figure.get_size_inches() * _POINTS_PER_INCH
    found: list[list[Any]] = []
    for axes in figure.axes:
        named = False
        for artist in (*axes.lines, *axes.collections):
            if _is_data(artist, axes):
                name = _COUNT.sub("", _name(artist, axes))
                artist.set_gid(f"{MARK} {len(found)} {name}")
                named = True
        if named:
            box = axes.get_position()
            edges = (box.x0 * width, (1 - box.y1) * height, box.x1 * width, (1 - box.y0) * height)
            across = _scale(_across(axes), axes.get_xlim(), axes.get_xscale())
            up = _scale(axes.yaxis, axes.get_ylim(), axes.get_yscale())
            found.append([*(round(float(edge), 1) for edge in edges), across, up])
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) if found else ""


def _is_data(artist: Artist, axes: Axes) -> bool:
    """Whether it is drawn from data in both directions: a limit or a shade is not."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415 (heavy)
    from matplotlib.lines import Line2D  # noqa: PLC0415 (heavy)

    if isinstance(artist, LineCollection):
        return not str(artist.get_label()).startswith("_")
    if not isinstance(artist, Line2D) or artist.get_transform() != axes.transData:
        return False
    x = np.asarray(artist.get_xdata(orig=False), dtype=float)
    return bool(np.isfinite(x).any())


def _name(artist: Artist, axes: Axes) -> str:
    label = str(artist.get_label())
    if not label.startswith("_"):
        return label
    return _UNIT.sub("", axes.get_ylabel()).strip() or axes.get_title(loc="left")


def _across(axes: Axes) -> Axis:
    """The horizontal axis that says what it is of, among those that share it."""
    sharing = axes.get_shared_x_axes().get_siblings(axes)
    named = (held.xaxis for held in sharing if held.xaxis.get_gid() or held.get_xlabel())
    return next(named, axes.xaxis)


def _scale(axis: Axis, limits: tuple[float, float], kind: str) -> list[Any]:
    from matplotlib.ticker import FixedLocator  # noqa: PLC0415 (heavy)

    low, high = (float(f"{limit:.6g}") for limit in limits)
    gid = axis.get_gid() or ""
    if gid.startswith("clock "):
        return [low, high, "clock", json.loads(gid.removeprefix("clock "))]
    if gid == "share":
        return [low, high, "share", ""]
    if kind == "log":
        return [low, high, "log", "s"]
    if isinstance(axis.get_major_locator(), FixedLocator):
        places = axis.get_ticklocs().tolist()
        ticks = zip(places, axis.get_major_formatter().format_ticks(places), strict=True)
        return [low, high, "ticks", [[round(place, 3), str(text)] for place, text in ticks]]
    label = axis.get_label_text()
    if label == "request":
        return [low, high, "nth", label]
    unit = _UNIT.search(label)
    return [low, high, "", unit[1] if unit else label.partition(";")[0]]
