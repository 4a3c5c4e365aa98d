"""Whether the whole machine was busy, so that all of it may have waited for a core."""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.evidence import Owner, known
from qa_runner.report.format import quantity

__all__ = ["crowded"]

_PERCENT = 90.0


def crowded(owner: Owner, before: str) -> str:
    """That it was, in words that begin with ``before``; empty if it was not."""
    values = known(owner.series("system", before=1.0, after=1.0).number("cpu_percent"))
    if not values.size or np.median(values) < _PERCENT:
        return ""
    busy = quantity(float(np.median(values)), "%")
    return f"{before}the whole machine was busy at {busy}"
