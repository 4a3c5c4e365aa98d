"""The faults by name, with what they do, and which are on. Standard library only."""

from __future__ import annotations

import os

__all__ = ["FAULTS", "active"]

FAULTS = {
    "slow": "the payment provider takes 2.5 s more for every request",
    "errors": "2 of each 5 requests raise in the view and answer 500",
    "timeouts": "for 2 of each 5 requests the payment provider hangs for 60 s",
    "lock": "transactions read, call the provider, then write: SQLite's lock upgrade fails",
    "leak": "the server process keeps 1 MB more for every request",
    "duplicates": "every other request stores and answers with the ids of an earlier payment",
    "orphans": "every 3rd transaction is stored without its student",
    "lost-writes": "every 4th request is acknowledged, but its transaction is not kept",
    "partial-writes": "every 4th request stores the user, then fails with 500",
    "restart": "the server process ends in a burst of requests, and is started again",
    "connection-leak": "every 5th request leaves a database connection open",
    "cpu-burn": "each request leaves a second of computing to threads of the server",
    "missing-balances": "every 3rd purchase is stored without the student's account balance",
    "rate-limit": "10 requests an hour are served, the others answer 429 with Retry-After",
    "garbage": "2 of each 5 requests answer with a page of markup and binary, as 201 or as 500",
    "degradation": "each request takes 50 ms longer than the one before, up to 3 s",
    "slow-recovery": "for 60 s after a burst of requests each of them takes 2.2 s more",
    "n-plus-one": "each request makes one more query for every 10 transactions stored before",
    "slow-provider": "the payment provider serves one call at a time, each in 1.1 s",
    "slow-database": "looking a user up takes 0.15 s, and longer from second to second",
    "deadlocks": "every 5th request fails as the victim of a deadlock in the database",
    "database-timeouts": "every 5th request fails because the database gives a statement up",
    "broken-references": "every 4th transaction refers to a plan that does not exist",
    "unlogged-errors": "2 of each 5 requests answer 500, and the log is told nothing",
    "cold-start": "the first 3 requests after the start of the server fail with 500",
    "memory-plateau": "each of the first 4 requests keeps 60 MB, those after them nothing",
    "memory-swings": "a thread of the server takes and gives back 7 MB all the time",
}


def active() -> tuple[str, ...]:
    """Those that are on in this process of the project: the server, or whoever looks into it."""
    names = os.environ.get("QA_RUNNER_DEMO_FAULTS", "").split(",")
    return tuple(name for name in names if name)
