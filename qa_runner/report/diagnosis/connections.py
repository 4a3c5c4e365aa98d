"""Database connections that grow with the requests and do not come back.

A request may hold one while it is answered, and threads or a pool may keep as many as were ever
in use at once. More than that, or as many again with the next load, are left behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.format import number, plural
from qa_runner.table import Floats

__all__ = ["connection_leak", "connection_plateau"]

_METRIC = "database_connections"
_SOURCES = (
    ("database", "connections", "connections that the database counts"),
    ("server", "database_handles", "open descriptors of the database's file"),
)
_AGAIN = 0.5


@dataclass(frozen=True)
class _Held:
    """Open connections in a part that failed because of them.

    ``before`` were there when the session began, ``first`` and ``last`` at the part's ends,
    ``most`` in it; ``earlier`` and ``requests`` were finished before it and in it, ``at_once`` is
    how many of these were under way together. ``back`` says that half was gone again later.
    """

    owner: Owner
    what: str
    before: float
    first: float
    most: float
    last: float
    earlier: int
    requests: int
    at_once: int
    back: bool

    @property
    def leaks(self) -> bool:
        """Whether more were left open than requests were ever under way."""
        if self.back or self.last <= self.first:
            return False
        kept = self.at_once + 1
        beyond = max(self.most, self.last) - self.first > kept
        rate, before = (self.last - self.first) / max(self.requests, 1), self.first - self.before
        again = before > 1 and self.earlier > 0 and rate >= _AGAIN * before / self.earlier
        return beyond or (again and self.earlier >= _AGAIN * self.requests)


def connection_leak(evidence: Evidence) -> list[Finding]:
    """More are open in the end than were ever in use at once, and they do not come back."""
    found = [held for held in _held(evidence) if held.leaks]
    if not found:
        return []
    held = found[0]
    return [
        Finding(
            rule="connection-leak",
            cause=(
                f"the server's {held.what} grew from {number(held.first)} to {number(held.last)} "
                f"over {plural(held.requests, 'request')} of {held.owner.id}, of which "
                f"{held.at_once:,} at most were under way at once, and did not come back"
            ),
            remedy=(
                "Close what a request opens: Django closes its own connection at the end of a "
                "request, not those of threads, pools and cursors that the code opens itself "
                "(connection.close() in a finally)."
            ),
            explains=_explained(found),
        )
    ]


def connection_plateau(evidence: Evidence) -> list[Finding]:
    """They rose to what was in use at once and stayed there: kept by threads or a pool."""
    found = [held for held in _held(evidence) if not held.leaks and held.last > held.first]
    if not found:
        return []
    held = found[0]
    kept = "came back later" if held.back else "were kept, by threads (CONN_MAX_AGE) or a pool"
    return [
        Finding(
            rule="connection-plateau",
            cause=(
                f"the server's {held.what} rose from {number(held.first)} to {number(held.last)} "
                f"in {held.owner.id}, no more than the {plural(held.at_once, 'request')} that "
                f"were under way at once; they {kept}, and do not leak"
            ),
            remedy=(
                "Check that workers times threads stay below what the database allows, or set "
                "CONN_MAX_AGE = 0; if it is meant so, raise the limit: --set "
                f"{held.owner.id}.limit.{held.owner.failing(_METRIC)[0].id.partition('-')[2]}=…"
            ),
            explains=_explained(found),
        )
    ]


def _explained(found: list[_Held]) -> dict[str, float]:
    return {result.id: 1.0 for held in found for result in held.owner.failing(_METRIC)}


def _held(evidence: Evidence) -> list[_Held]:
    found = []
    for owner in evidence.owners:
        readings = _readings(owner) if owner.failing(_METRIC) else None
        if readings is None:
            continue
        times, values, what = readings
        within = values[(times >= owner.start) & (times <= owner.end)]
        later = values[times > owner.end]
        first, last = float(within[0]), float(within[-1])
        samples = evidence.source.all_samples
        finished = samples.number("finished")[samples.number("session") == owner.attempt.session]
        found.append(
            _Held(
                owner=owner,
                what=what,
                before=float(values[0]),
                first=first,
                most=float(within.max()),
                last=last,
                earlier=int((finished < owner.start).sum()),
                requests=len(owner.samples),
                at_once=_at_once(owner),
                back=bool(later.size) and float(later.min()) <= first + (last - first) / 2,
            )
        )
    return found


def _readings(owner: Owner) -> tuple[Floats, Floats, str] | None:
    """Times and values over the session, and what they are; None without two in the part."""
    for series, column, what in _SOURCES:
        table = owner.session[series]
        times, values = table.number("time"), table.number(column)
        there = np.isfinite(values)
        times, values = times[there], values[there]
        if ((times >= owner.start) & (times <= owner.end)).sum() > 1:
            return times, values, what
    return None


def _at_once(owner: Owner) -> int:
    """The most requests that were under way together."""
    started = np.sort(known(owner.samples.number("started")))
    finished = np.sort(known(owner.samples.number("finished")))
    if not started.size:
        return 0
    over = np.searchsorted(finished, started, side="right")
    return int((np.arange(1, started.size + 1) - over).max())
