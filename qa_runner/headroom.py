"""How close a load came to what its generator can send, and what that adds to its times.

Neither decides a verdict: both are said, for the reader to weigh. What spoils a verdict is in
saturation.py.
"""

from __future__ import annotations

import numpy as np

from qa_runner.calibration import Calibration
from qa_runner.table import Floats, Table

__all__ = ["added_time", "near_capacity"]

SHARE_LIMIT = 0.7
"""Of its core; nearer to it, waiting in the generator grows fast."""
ADDED_LIMIT = 0.1
"""Of a limit in seconds: what the generator adds should be a small part of it."""
_LEAST_SECONDS = 0.2
"""Systems count CPU time in hundredths of a second."""


def near_capacity(
    samples: Table,
    connections: str,
    calibration: Calibration | None,
    cpu_percent: float | None,
) -> str:
    """That the generator had little of its core left in a load's busiest second; else empty.

    ``cpu_percent`` is what it used of its core over the whole load. A busiest second that comes
    near to the calibrated capacity took as much more as more requests ended in it. The
    calibration alone does not decide: what else this machine did at that time made the generator
    look slower than it is.
    """
    finished = samples.number("finished")
    finished = np.sort(finished[np.isfinite(finished)])
    if cpu_percent is None or not finished.size:
        return ""
    took = float(finished[-1]) - float(np.nanmin(samples.number("due")))
    if took < _LEAST_SECONDS:
        return ""
    busiest, used = _busiest_second(finished, took), cpu_percent
    if (
        calibration is not None
        and busiest > SHARE_LIMIT * calibration.capacity(connections).requests_per_second
    ):
        used *= busiest * took / finished.size
    if used <= 100 * SHARE_LIMIT:
        return ""
    return (
        f"The load reached {busiest:,.0f} req/s, for which the load generator took about "
        f"{min(used, 100.0):.0f} % of a core: part of its response times may be the generator's "
        "own."
    )


def _busiest_second(finished: Floats, took: float) -> float:
    """Requests finished per second, in that second of the load with the most of them."""
    seconds = min(took, 1.0)
    # For each request, how many had finished within the second that ends with it.
    within = np.arange(1, finished.size + 1) - np.searchsorted(finished, finished - seconds)
    return float(within.max()) / seconds


def added_time(limit_seconds: float, calibration: Calibration | None) -> str:
    """That the generator can add a notable part of a time's limit; else empty."""
    if calibration is None or calibration.added_seconds < ADDED_LIMIT * abs(limit_seconds):
        return ""
    share = ""
    if limit_seconds:
        share = f", {100 * calibration.added_seconds / abs(limit_seconds):.0f} % of this limit"
    return (
        f"this machine's load generator adds up to {1000 * calibration.added_seconds:.1f} ms by "
        f"its calibration{share}"
    )
