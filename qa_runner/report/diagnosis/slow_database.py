"""The database takes most of the time."""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.crowd import crowded
from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import number, plural, quantity
from qa_runner.table import Floats

__all__ = ["slow_database", "slow_probe_query"]

_LEAST_SECONDS = 0.05
_MOSTLY = 0.5


def slow_database(evidence: Evidence) -> list[Finding]:
    """Requests whose time was mostly the database's, by their Server-Timing."""
    tally = Tally()
    for owner in evidence.owners:
        seconds = owner.samples.number("database_seconds")
        long = owner.good & (seconds >= _LEAST_SECONDS)
        tally.claim(owner, owner.main & long, owner.failing("database_time"))
        tally.add(owner, long & (seconds >= _MOSTLY * owner.service_seconds))
    if tally.first is None or tally.mask is None:
        return []
    told, chosen = tally.first, tally.mask

    def middle(values: Floats) -> float:
        found = known(values[chosen])
        return float(np.median(found)) if found.size else float("nan")

    queries = middle(told.samples.number("queries"))
    made = f" with {number(queries)} queries each" if np.isfinite(queries) else ""
    taken = quantity(middle(told.samples.number("database_seconds")), "s")
    whole = quantity(middle(told.service_seconds), "s")
    return [
        tally.finding(
            rule="slow-database",
            cause=(
                f"in {told.id} the database took {taken} of {whole} in the median of "
                f"{plural(int(chosen.sum()), 'request')}{made}{crowded(told, '; ')}"
            ),
            remedy=(
                "Look at the slowest statement with EXPLAIN: an index that is missing, a lock "
                "that it waits for, or a table that has grown."
            ),
        )
    ]


def slow_probe_query(evidence: Evidence) -> list[Finding]:
    """The probe's own indexed query was slow: the database is busy, locked or far away."""
    explains: dict[str, float] = {}
    first: Owner | None = None
    for owner in evidence.owners:
        failed = owner.failing("query_time")
        if failed:
            first = first or owner
            explains |= {result.id: 1.0 for result in failed}
    if first is None:
        return []
    seconds = known(first.series("database").number("query_seconds"))
    if not seconds.size:
        return []
    middle, most = quantity(float(np.median(seconds)), "s"), quantity(float(seconds.max()), "s")
    return [
        Finding(
            rule="slow-query",
            cause=(
                f"one indexed query of the probe, beside the load of {first.id}, took {middle} in "
                f"the median and {most} at most of {seconds.size:,} readings: the database itself "
                "is slow"
            ),
            remedy=(
                "Look at the database's CPU and disk, at statements that scan whole tables, and "
                "at long transactions that hold locks."
            ),
            explains=explains,
        )
    ]
