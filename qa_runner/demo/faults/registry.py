"""Which class is which fault."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.demo.faults.answers import Garbage, RateLimit
from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.computing import CpuBurn
from qa_runner.demo.faults.database import ConnectionLeak, NPlusOne, SlowDatabase
from qa_runner.demo.faults.database_errors import DatabaseTimeouts, Deadlocks
from qa_runner.demo.faults.locking import Lock
from qa_runner.demo.faults.memory import Leak, MemoryPlateau, MemorySwings
from qa_runner.demo.faults.process import ColdStart, Errors, Restart, UnloggedErrors
from qa_runner.demo.faults.provider import Slow, SlowProvider, Timeouts
from qa_runner.demo.faults.references import BrokenReferences
from qa_runner.demo.faults.rows import (
    Duplicates,
    LostWrites,
    MissingBalances,
    Orphans,
    PartialWrites,
)
from qa_runner.demo.faults.slowness import Degradation, SlowRecovery

__all__ = ["CLASSES", "create"]

CLASSES: dict[str, type[Fault]] = {
    "slow": Slow,
    "errors": Errors,
    "timeouts": Timeouts,
    "lock": Lock,
    "leak": Leak,
    "duplicates": Duplicates,
    "orphans": Orphans,
    "lost-writes": LostWrites,
    "partial-writes": PartialWrites,
    "restart": Restart,
    "connection-leak": ConnectionLeak,
    "cpu-burn": CpuBurn,
    "missing-balances": MissingBalances,
    "rate-limit": RateLimit,
    "garbage": Garbage,
    "degradation": Degradation,
    "slow-recovery": SlowRecovery,
    "n-plus-one": NPlusOne,
    "slow-provider": SlowProvider,
    "slow-database": SlowDatabase,
    "deadlocks": Deadlocks,
    "database-timeouts": DatabaseTimeouts,
    "broken-references": BrokenReferences,
    "unlogged-errors": UnloggedErrors,
    "cold-start": ColdStart,
    "memory-plateau": MemoryPlateau,
    "memory-swings": MemorySwings,
}


def create(names: Iterable[str]) -> list[Fault]:
    """The faults with these names, of names.FAULTS."""
    return [CLASSES[name]() for name in names]
