"""What a database answers when it refuses: a row for each cause that its words tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.said import said
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import plural

__all__ = ["DATABASE_ERRORS", "DatabaseError"]

_COUNTED = 0.5
"""What only the database or the log counted explains its criterion, unless requests show more."""


@dataclass(frozen=True)
class DatabaseError:
    """A rule: ``pattern`` in answers or log, ``means`` in words, and the metric that counts it."""

    rule: str
    pattern: re.Pattern[str]
    means: str
    remedy: str
    kind: str = ""
    metric: str = ""

    def __call__(self, evidence: Evidence) -> list[Finding]:
        """The requests that failed with it."""
        tally = Tally()
        counted_only: dict[str, float] = {}
        times = 0
        for owner in evidence.owners:
            mask = said(owner, self.pattern, self.kind)
            counted = owner.failing(self.metric)
            tally.claim(owner, mask, counted)
            tally.add(owner, mask)
            if counted and not mask.any():
                times += sum(bool(self.pattern.search(text)) for text in owner.errors_logged())
                counted_only |= {result.id: _COUNTED for result in counted}
        explains = tally.explains | counted_only
        if not explains:
            return []
        if tally.first is not None:
            cause = f"{tally.words()} {tally.were()} refused by the database: {self.means}"
        else:
            where = f"the server's log has {plural(times, 'record')} of it: " if times else ""
            cause = f"{where}{self.means}"
        return [
            Finding(
                rule=self.rule,
                cause=cause,
                remedy=self.remedy,
                explains=explains,
                requests=tally.requests,
            )
        ]


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


DATABASE_ERRORS: tuple[Callable[[Evidence], list[Finding]], ...] = (
    DatabaseError(
        "deadlock",
        _words(r"deadlock (?:detected|found)", "DeadlockDetected"),
        "transactions deadlocked, each holding rows that the other wants",
        "Lock rows in the same order everywhere (select_for_update with order_by), keep "
        "transactions short, and try one that was chosen as the victim again.",
        "deadlock",
        "deadlocks",
    ),
    DatabaseError(
        "statement-timeout",
        _words("QueryCancell?ed", "statement timeout", "canceling statement due to user"),
        "statements were cancelled at the statement timeout",
        "Look at what such a statement waits for or scans: EXPLAIN (ANALYZE, BUFFERS), and an "
        "index for its condition.",
        "timeout",
        "database_timeouts",
    ),
    DatabaseError(
        "lock-wait",
        _words("could not obtain lock", "lock (?:wait )?timeout", "LockNotAvailable"),
        "transactions waited for a row or table that another one had locked",
        "Find the blocker in the database's figures of the report; keep transactions short, and "
        "call the payment service outside of them.",
        "lock",
        "lock_errors",
    ),
    DatabaseError(
        "connections-exhausted",
        _words(
            "too many clients",
            "remaining connection slots",
            "too many connections",
            "PoolTimeout",
            "QueuePool limit",
            "couldn't get a connection after",
        ),
        "no connection was free",
        "Compare workers times threads with max_connections; close connections that are left "
        "open, or put a pool (pgbouncer) between.",
    ),
    DatabaseError(
        "database-gone",
        _words(
            "server closed the connection unexpectedly",
            r"connection to server .{0,200}(?:refused|failed)",
            "terminating connection",
            "could not connect to server",
            "the database system is (?:starting up|shutting down)",
        ),
        "the database was gone or restarted",
        "Look at the database's own log for why it ended; CONN_HEALTH_CHECKS = True replaces "
        "connections that have died.",
    ),
    DatabaseError(
        "database-read-only",
        _words("readonly database", "read-only transaction", "cannot execute .{1,20} in a read-on"),
        "the database may only be read",
        "Give the server's user the right to write the database file and its folder, or the "
        "address of the primary server rather than of a replica.",
    ),
    DatabaseError(
        "not-migrated",
        _words("no such table", "no such column", r"(?:relation|column) \S+ does not exist"),
        "a table or column that the code expects is not there",
        "Run manage.py migrate with the settings that the server uses, and check that it is the "
        "database that was meant.",
    ),
)
"""The rules, in order."""
