"""The faults by name, with what they do. Standard library only."""

from __future__ import annotations

__all__ = ["FAULTS"]

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
}
