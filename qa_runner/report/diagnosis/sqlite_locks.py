"""SQLite's "database is locked": refused at once, or after the busy timeout.

A deferred transaction that has read and then writes must upgrade its lock. If anybody else has
written since, SQLite refuses at once, whatever the timeout (https://sqlite.org/isolation.html and
https://sqlite.org/rescode.html#busy_snapshot). A transaction that began as a writer waits for its
turn, for the busy timeout at most.
"""

from __future__ import annotations

import re

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.said import said
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import quantity

__all__ = ["lock_upgrade", "lock_wait"]

_LOCKED = re.compile(r"database (?:table |schema )?is locked", re.IGNORECASE)
_DEFAULT_SECONDS = 5.0
"""The busy timeout of Python's sqlite3, which Django leaves alone."""
_NEARLY = 0.9
_LEAST_SECONDS = 0.2
"""A busy timeout below this ends no later than an upgrade is refused: no telling them apart."""


def lock_upgrade(evidence: Evidence) -> list[Finding]:
    """Locked, and long before the busy timeout: it was not waited for anything."""
    busy = _busy_seconds(evidence)
    if not _upgrades(evidence, busy):
        return []
    tally, seconds = _locked(evidence, 0.0, _NEARLY * busy)
    if tally.first is None:
        return []
    wal = "" if str(evidence.fact("database", "journal mode")).lower() == "wal" else " and WAL"
    return [
        tally.finding(
            rule="sqlite-lock-upgrade",
            cause=(
                f"{tally.words()} {tally.were()} answered with \u201cdatabase is locked\u201d "
                f"after {quantity(seconds, 's')} in the median, long before the "
                f"{_timeout(evidence)}: SQLite refuses at once to let a transaction write that "
                "has read before another one wrote"
            ),
            remedy=(
                'Set "OPTIONS": {"transaction_mode": "IMMEDIATE"} (Django 5.1 and newer)'
                f"{wal}, and call the payment service outside of the transaction."
            ),
        )
    ]


def lock_wait(evidence: Evidence) -> list[Finding]:
    """Locked after the busy timeout: the writers before it took too long."""
    busy = _busy_seconds(evidence)
    least = _NEARLY * busy if _upgrades(evidence, busy) else 0.0
    tally, seconds = _locked(evidence, least, np.inf)
    if tally.first is None:
        return []
    return [
        tally.finding(
            rule="sqlite-lock-wait",
            cause=(
                f"{tally.words()} {tally.were()} answered with \u201cdatabase is locked\u201d "
                f"after {quantity(seconds, 's')} in the median, with the "
                f"{_timeout(evidence)}: they waited for writers that held the lock"
            ),
            remedy=(
                "Keep write transactions short, without a call of the payment service inside; "
                'a higher "timeout" in OPTIONS only waits longer. SQLite has one writer at a time: '
                "for many of them use PostgreSQL."
            ),
        )
    ]


def _locked(evidence: Evidence, least: float, most: float) -> tuple[Tally, float]:
    """The locked requests whose answer took so many seconds, and their median."""
    tally = Tally()
    for owner in evidence.owners:
        took = owner.service_seconds
        mask = said(owner, _LOCKED, "lock") & (took >= least) & (took < most)
        tally.claim(owner, mask, owner.failing("lock_errors"))
        tally.add(owner, mask)
    if tally.first is None or tally.mask is None:
        return tally, 0.0
    return tally, float(np.median(known(tally.first.service_seconds[tally.mask])))


def _busy_seconds(evidence: Evidence) -> float:
    stored = evidence.fact("database", "busy timeout s")
    return float(stored) if isinstance(stored, int | float) else _DEFAULT_SECONDS


def _timeout(evidence: Evidence) -> str:
    """The busy timeout in words; that of Python where the run did not ask."""
    stored = evidence.fact("database", "busy timeout s")
    usual = "" if isinstance(stored, int | float) else "usual "
    return f"{usual}busy timeout of {quantity(_busy_seconds(evidence), 's')}"


def _upgrades(evidence: Evidence, busy_seconds: float) -> bool:
    """Whether locks are upgraded at all, and that can be told from a wait."""
    mode = str(evidence.fact("database", "transaction mode") or "").upper()
    return busy_seconds >= _LEAST_SECONDS and mode not in ("IMMEDIATE", "EXCLUSIVE")
