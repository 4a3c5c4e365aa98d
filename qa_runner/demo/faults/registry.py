"""Which class is which fault."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.locking import Lock
from qa_runner.demo.faults.process import Errors, Leak, Restart
from qa_runner.demo.faults.provider import Slow, Timeouts
from qa_runner.demo.faults.rows import Duplicates, LostWrites, Orphans, PartialWrites

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
}


def create(names: Iterable[str]) -> list[Fault]:
    """The faults with these names, of names.FAULTS."""
    return [CLASSES[name]() for name in names]
