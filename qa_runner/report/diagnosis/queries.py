"""Each request makes more database queries than the one before: an N+1."""

from __future__ import annotations

import numpy as np

from qa_runner.estimate import theil_sen
from qa_runner.report.diagnosis.evidence import Evidence, Owner
from qa_runner.report.diagnosis.explain import shares
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.format import plural

__all__ = ["growing_queries"]

_LEAST_REQUESTS = 5
_LEAST_QUERIES = 1.0
_LEAST_SHARE = 0.1
"""The number has to rise by a tenth, and by a query, over the requests of a part."""
_MOSTLY = 0.5
"""Share of a request's time that is the database's, from which on the queries explain it."""


def growing_queries(evidence: Evidence) -> list[Finding]:
    """The number of queries rises with the requests, in a part or over the whole run."""
    explains: dict[str, float] = {}
    told: tuple[Owner, float, float, int] | None = None
    for owner in evidence.owners:
        rise = _rise(owner)
        if rise is None:
            continue
        database = owner.samples.number("database_seconds")
        mask = database >= _MOSTLY * owner.service_seconds
        explains |= shares(owner, mask)
        explains |= {result.id: 1.0 for result in owner.failing("query_count", "database_time")}
        if told is None or owner.failing("query_count"):
            told = (owner, *rise)
    if told is None or not explains:
        return []
    owner, first, last, count = told
    return [
        Finding(
            rule="growing-queries",
            cause=(
                f"a request made {round(first)} database queries at the beginning of "
                f"{owner.id} and {round(last)} at its end, {plural(count, 'request')} later: "
                "the number grows with the rows that are there (N+1)"
            ),
            remedy=(
                "Look for a query inside a loop over rows, and fetch what it needs at once: "
                "select_related, prefetch_related, or an aggregate in the database."
            ),
            explains=explains,
            evidence=owner.anchor,
        )
    ]


def _rise(owner: Owner) -> tuple[float, float, int] | None:
    """Queries of the first and the last request on the line through all, if it rises.

    Surely so, unless a criterion has said already that it does.
    """
    queries, due = owner.samples.number("queries"), owner.samples.number("due")
    # A request that fails is over before it has made all of its queries.
    there = np.isfinite(queries) & np.isfinite(due) & owner.good
    order = np.argsort(due[there], kind="stable")
    counts = queries[there][order]
    if counts.size < _LEAST_REQUESTS:
        return None
    places = np.arange(float(counts.size))
    slope, intercept, low, _ = theil_sen(places, counts)
    first, last = intercept, intercept + slope * (counts.size - 1)
    enough = max(_LEAST_QUERIES, _LEAST_SHARE * abs(first))
    if (low < 0 and not owner.failing("query_count")) or last - first < enough:
        return None
    return max(first, 0.0), last, int(counts.size)
