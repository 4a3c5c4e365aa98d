"""Arrays made ready to draw: finite, bounded in number, in a fitting unit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from qa_runner.table import Floats

__all__ = ["MOST_POINTS", "as_number", "finite", "scale_bytes", "scale_seconds", "thin"]

MOST_POINTS = 1200
Mask = npt.NDArray[np.bool_]


def as_number(value: object) -> float:
    """A cell of a stored table, NaN if it holds no number."""
    return float(value) if isinstance(value, int | float) else float("nan")


def finite(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The pairs in which both are numbers."""
    kept = np.isfinite(x) & np.isfinite(y)
    return x[kept], y[kept]


def thin(x: Floats, y: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """At most ``most`` of the points, in their order.

    Equal stretches of them keep their lowest and their highest, so outliers stay in sight, and
    two more, so that what lies between is not shown as a gap.
    """
    if x.size <= most:
        return x, y
    kept: set[int] = {0, x.size - 1}
    edges = np.linspace(0, x.size, max((most - 2) // 4, 1) + 1).astype(int)
    for start, end in pairwise(edges.tolist()):
        kept |= {start, (start + end) // 2}
        kept.add(start + int(np.argmin(y[start:end])))
        kept.add(start + int(np.argmax(y[start:end])))
    picked = np.array(sorted(kept))
    return x[picked], y[picked]


def scale_seconds(largest: float) -> tuple[float, str]:
    """Factor and unit for an axis of seconds up to ``largest``."""
    return (1.0, "s") if largest >= 1 else (1e3, "ms")


def scale_bytes(largest: float) -> tuple[float, str]:
    """Factor and unit for an axis of bytes up to ``largest``."""
    return (1e-9, "GB") if largest >= 2e9 else (1e-6, "MB")  # noqa: PLR2004 (2 GB)
