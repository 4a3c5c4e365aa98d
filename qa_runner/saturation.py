"""Whether the load generator, rather than the server, was the bottleneck."""

from __future__ import annotations

import numpy as np

from qa_runner.table import Table

__all__ = ["saturation"]

CPU_LIMIT_PERCENT = 90.0
LAG_LIMIT_SECONDS = 0.25


def saturation(health: Table, start: float, end: float) -> str:
    """Why the generator was saturated between two times; empty if it was not.

    ``health`` is the series "generator". One busy second can be a neighbour's doing; it takes
    two readings, or all there are, above a limit.
    """
    window = health.between(start, end)
    if not len(window):
        return ""
    enough = min(2, len(window))
    cpu = window.number("cpu_percent")
    lag = window.number("loop_lag_seconds")
    if int(np.sum(cpu >= CPU_LIMIT_PERCENT)) >= enough:
        return f"its CPU reached {np.nanmax(cpu):.0f} % of a core"
    if int(np.sum(lag >= LAG_LIMIT_SECONDS)) >= enough:
        return f"its event loop lagged by {np.nanmax(lag) * 1000:.0f} ms"
    return ""
