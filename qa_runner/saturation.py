"""Whether the load generator, rather than the server, was the bottleneck.

Its own readings tell (CPU, lag of its event loop), and so do its sends: those of bursts by the
spread of their starts; how late they were is in sample_metrics.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from qa_runner.estimate import percentile
from qa_runner.result import LoadResult
from qa_runner.table import Table

__all__ = ["burst_spreads", "overworked", "saturation", "scattered_bursts"]

CPU_LIMIT_PERCENT = 90.0
LAG_LIMIT_SECONDS = 0.25
STANDSTILL_SECONDS = 0.5
LEAST_CPU_SECONDS = 0.2
"""Systems count CPU time in hundredths of a second."""
SPREAD_LIMIT_SECONDS = 0.05
SPREAD_LIMIT_SHARE = 0.1


def saturation(health: Table, start: float, end: float) -> str:
    """Why the generator was saturated between two times; empty if it was not.

    ``health`` is the series "generator". One busy second can be a neighbour's doing; it takes
    two readings, or all there are, above a limit. A standstill of half a second is in the times
    of every request that was in flight, so one is enough.
    """
    window = health.between(start, end)
    if not len(window):
        return ""
    enough = min(2, len(window))
    cpu = window.number("cpu_percent")
    lag = window.number("loop_lag_seconds")
    if int(np.sum(cpu >= CPU_LIMIT_PERCENT)) >= enough:
        return f"its CPU reached {np.nanmax(cpu):.0f} % of a core"
    late = int(np.sum(lag >= LAG_LIMIT_SECONDS)) >= enough
    if late or bool(np.any(lag >= STANDSTILL_SECONDS)):
        return f"its event loop lagged by {np.nanmax(lag) * 1000:.0f} ms"
    return ""


def overworked(load: LoadResult) -> str:
    """As :func:`saturation`, for a load that is shorter than the time between two readings."""
    cpu, seconds = load.generator_cpu_percent, load.end - load.start
    if cpu is None or seconds < LEAST_CPU_SECONDS or cpu < CPU_LIMIT_PERCENT:
        return ""
    return f"it used {cpu:.0f} % of a core"


def scattered_bursts(samples: Table, bursts: Mapping[int, int]) -> str:
    """By how much the starts of a burst lay apart that was meant to be simultaneous; else empty.

    ``bursts`` maps the number of a load to the requests in each of its bursts. The limit is 50 ms
    or a tenth of the time that the burst took, whichever is more.
    """
    loads = samples.number("load")
    too_much = [
        spread
        for load, requests in bursts.items()
        for spread, took in burst_spreads(samples.where(loads == load), requests)
        if spread > max(SPREAD_LIMIT_SECONDS, SPREAD_LIMIT_SHARE * took)
    ]
    if not too_much:
        return ""
    return f"the starts of a burst were spread over {1000 * max(too_much):.0f} ms"


def burst_spreads(samples: Table, requests: int) -> Iterator[tuple[float, float]]:
    """Of each burst of a load, over how many seconds its starts were spread, and how many it took.

    The spread is that of 95 % of the starts, each taken from when it was due, so that a stagger
    is no spread.
    """
    repetition = samples.number("iteration") // max(requests, 1)
    for number in np.unique(repetition[np.isfinite(repetition)]):
        burst = samples.where(repetition == number)
        due, finished = burst.number("due"), burst.number("finished")
        late = burst.number("started") - due
        late, finished = late[np.isfinite(late)], finished[np.isfinite(finished)]
        if late.size and finished.size:
            took = float(finished.max() - np.nanmin(due))
            yield percentile(late, 95) - float(late.min()), took
