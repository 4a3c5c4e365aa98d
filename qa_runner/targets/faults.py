"""The faults that the embedded target can be given."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.errors import UnknownName

__all__ = ["FAULTS", "validate_faults"]

# The embedded target says the same, `python -m qa_runner.demo faults`; a test compares the two.
FAULTS = (
    "slow",
    "errors",
    "timeouts",
    "lock",
    "leak",
    "duplicates",
    "orphans",
    "lost-writes",
    "partial-writes",
    "restart",
    "connection-leak",
    "cpu-burn",
    "missing-balances",
    "rate-limit",
    "garbage",
    "degradation",
    "slow-recovery",
    "n-plus-one",
    "slow-provider",
    "slow-database",
    "deadlocks",
    "database-timeouts",
    "broken-references",
    "unlogged-errors",
    "cold-start",
    "memory-plateau",
    "memory-swings",
)


def validate_faults(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, in the order given.

    Raises UnknownName, whose message lists the valid ones.
    """
    unique = tuple(dict.fromkeys(names))
    for name in unique:
        if name not in FAULTS:
            raise UnknownName("fault", name, FAULTS)
    return unique
