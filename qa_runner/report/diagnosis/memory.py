"""Memory that rises with every request is a leak; a rise that levels off is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qa_runner.criteria import CriterionResult
from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.growth import Growth, growth
from qa_runner.report.format import plural, quantity
from qa_runner.table import Floats, Table

__all__ = ["memory_leak", "memory_plateau", "memory_swings"]

_METRIC = "server_memory"
_RISES = ("growth", "slope")
_ALL = (*_RISES, "range")
_TO_AND_FRO = 1.5
"""What moves by more than its range in all has turned round: half of the way back at least."""


def memory_leak(evidence: Evidence) -> list[Finding]:
    """It still rose with the last requests of the part."""
    grown = [held for held in _grown(evidence) if held.growth.goes_on]
    # What moves at rest alone is no matter of the requests.
    found = [held for held in grown if _of(held.owner, _RISES)]
    if not found:
        return []
    most = found[0].growth
    return [
        Finding(
            rule="memory-leak",
            cause=(
                f"the server's memory rose by {quantity(most.rise, 'bytes')} over "
                f"{plural(most.requests, 'request')} {found[0].where} and was still rising "
                f"with the last ones, by {quantity(most.for_each_request, 'bytes')} each: a leak"
            ),
            remedy=(
                "Look for what keeps objects of each request: module-level lists and caches "
                "without a bound, signal handlers, threads. tracemalloc compares two moments; "
                "gunicorn --max-requests only hides it."
            ),
            explains=_explained(found, _ALL),
        )
    ]


def memory_plateau(evidence: Evidence) -> list[Finding]:
    """It rose at first and stayed there, also where that exceeds a limit."""
    grown_owners = [held for held in _grown(evidence) if held.growth.is_plateau]
    found = [held for held in grown_owners if _of(held.owner, _RISES)]
    if not found:
        return []
    owner, grown = found[0].owner, found[0].growth
    first = _of(owner, _RISES)[0]
    option = f"{owner.id}.limit.{first.id.partition('-')[2]}"
    return [
        Finding(
            rule="memory-plateau",
            cause=(
                f"the server's memory rose by {quantity(grown.rise, 'bytes')}, nearly all of it "
                f"with the first {_first(grown)} {found[0].where}, and stayed there: a plateau, "
                "which Python keeps for itself, and no leak"
            ),
            remedy=(
                f"If {quantity(grown.last, 'bytes')} are what the server may use, allow them: "
                f"--set {option}=…; warm the server up before a run otherwise."
            ),
            explains=_explained(found, _RISES),
        )
    ]


def _first(grown: Growth) -> str:
    few = f"{grown.levelled:,} " if grown.levelled > 1 else ""
    return f"{few}of {plural(grown.requests, 'request')}"


@dataclass(frozen=True)
class _Grown:
    """How memory grew in a part that failed because of it; ``where`` in words."""

    owner: Owner
    growth: Growth
    where: str


def _grown(evidence: Evidence) -> list[_Grown]:
    found = []
    for owner in evidence.owners:
        if not owner.failing(_METRIC):
            continue
        own = _growth(owner.series("server"), owner.samples)
        if own is not None:
            found.append(_Grown(owner, own, f"of {owner.id}"))
            continue
        # Too few requests to tell: what came after it shows whether it went on.
        every = evidence.source.all_samples
        mine = every.where(every.number("session") == owner.attempt.session)
        later = owner.session["server"]
        whole = _growth(later.where(later.number("time") >= owner.start), mine)
        if whole is not None:
            found.append(_Grown(owner, whole, f"from {owner.id} on"))
    return found


def _growth(rows: Table, samples: Table) -> Growth | None:
    """The growth of memory over the requests; None across a restart, or with too few readings."""
    restarts = known(rows.number("restarts"))
    if restarts.size and restarts[-1] > restarts[0]:
        return None
    return growth(samples.number("finished"), rows.number("time"), rows.number("rss_bytes"))


def memory_swings(evidence: Evidence) -> list[Finding]:
    """It went up and down where it should have been at rest."""
    found = [
        (owner, result, values)
        for owner in evidence.owners
        for result in _of(owner, ("range",))
        if (values := _at_rest(owner, result.tag)).size
        and np.abs(np.diff(values)).sum() >= _TO_AND_FRO * np.ptp(values)
    ]
    if not found:
        return []
    owner, _, values = found[0]
    low, high = quantity(float(values.min()), "bytes"), quantity(float(values.max()), "bytes")
    return [
        Finding(
            rule="memory-swings",
            cause=(
                f"the server's memory went up and down between {low} and {high} when {owner.id} "
                "had sent its last request: something works in the background"
            ),
            remedy=(
                "Look for threads and tasks that go on without requests (py-spy dump --pid of "
                "the server names them), and for caches that are filled and dropped."
            ),
            explains={result.id: 1.0 for _, result, _ in found},
        )
    ]


def _at_rest(owner: Owner, tag: str) -> Floats:
    """The readings from the last answer to the end of the window of a criterion, in bytes."""
    windows = [
        window
        for part in owner.attempt.parts
        if part.id == owner.id
        for window in part.windows
        if window.name == tag
    ]
    finished = known(owner.samples.number("finished"))
    if not windows or not finished.size:
        return np.empty(0)
    start = min(float(finished.max()), windows[0].start)
    return known(owner.session["server"].between(start, windows[0].end).number("rss_bytes"))


def _of(owner: Owner, aggregates: tuple[str, ...]) -> list[CriterionResult]:
    """The failed criteria of these aggregates."""
    return [result for result in owner.failing(_METRIC) if result.aggregate in aggregates]


def _explained(found: list[_Grown], aggregates: tuple[str, ...]) -> dict[str, float]:
    return {result.id: 1.0 for held in found for result in _of(held.owner, aggregates)}
