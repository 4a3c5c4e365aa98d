"""Requests that failed for whatever reason: what the client saw, and what the log says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.log_text import has_traceback, without_head
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.failures import Group, by_cause, cause_words
from qa_runner.table import Mask

__all__ = ["failed_requests"]

_LOGS = ("server error", "timeout")
"""Outcomes of which the server's log may have the cause."""
_REMEDIES = {
    "timeout": (
        "Look for what the request waits on: a lock, the payment provider, or too few workers."
    ),
    "connection error": (
        "Look whether the server runs at this address, whether its process ended, and at its "
        "listen backlog."
    ),
    "client error": "Compare the request with what the API wants: method, path, body, headers.",
    "dropped": (
        "The server is slower than the rate: too many requests were unanswered to start more."
    ),
}


class _Kind(NamedTuple):
    outcome: str
    status: int
    error: str


def failed_requests(evidence: Evidence, found: Iterable[Finding]) -> list[Finding]:
    """One finding for each kind of failure, over all parts, of requests not in ``found``."""
    explained: dict[str, list[Mask]] = defaultdict(list)
    for finding in found:
        for owner_id, mask in finding.requests.items():
            explained[owner_id].append(mask)
    tallies: dict[_Kind, Tally] = {}
    for owner in evidence.owners:
        if owner.results or owner.is_part:
            _gather(owner, explained[owner.id], tallies)
    return [
        _finding(kind, tally, evidence.log_name)
        for kind, tally in tallies.items()
        if tally.explains
    ]


def _gather(owner: Owner, explained: list[Mask], tallies: dict[_Kind, Tally]) -> None:
    known = np.logical_or.reduce([owner.good, *explained])
    places = np.flatnonzero(~known)
    if not places.size:
        return
    kinds, members = by_cause(owner.samples.rows(places))
    for key, rows in zip(kinds, members, strict=True):
        mask = np.zeros(len(owner.samples), dtype=bool)
        mask[places[rows]] = True
        tallies.setdefault(_Kind(*key), Tally()).add(owner, mask)


def _finding(kind: _Kind, tally: Tally, log_name: str) -> Finding:
    owner, mask = tally.first, tally.mask
    error, logged = kind.error, ""
    if owner is not None and mask is not None:
        # An example, with its numbers.
        error = owner.samples.where(mask).text("error")[0]
        logged = _logged(owner) if kind.outcome in _LOGS else ""
    words = cause_words(Group(kind.outcome, kind.status, error))
    said = f"; the server log says \u201c{without_head(logged)}\u201d" if logged else ""
    remedy = _REMEDIES.get(kind.outcome, "")
    if kind.outcome == "server error":
        remedy = _where_raised(logged, log_name)
    return tally.finding(
        rule="failed-requests",
        cause=f"{tally.words()} {tally.were()} {words}{said}",
        remedy=remedy,
    )


def _logged(owner: Owner) -> str:
    """A record of the most frequent error in the server's log meanwhile; or empty."""
    records = {without_head(text): text for text in owner.errors_logged()}
    texts = Counter(map(without_head, owner.errors_logged()))
    return records[texts.most_common(1)[0][0]] if texts else ""


def _where_raised(logged: str, log_name: str) -> str:
    """Where the exception of a server error stands, or would if it was logged."""
    log = f"the server's log {log_name}".rstrip()
    if has_traceback(logged):
        return f"{log[:1].upper()}{log[1:]} has the exception and where it was raised."
    return f"Look for the exception in {log}, and log it if it is not there."
