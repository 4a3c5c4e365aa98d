"""Verdicts and how they combine."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["Verdict", "combine"]


class Verdict(StrEnum):
    """The result of judging a criterion, a part, a step or a case."""

    PASS = "PASS"  # noqa: S105 (no password)
    FAIL = "FAIL"
    ERROR = "ERROR"
    """Could not run, or the load generator was the bottleneck."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """Not measured; never a pass."""
    SKIPPED = "SKIPPED"
    """Not part of this run."""


_ORDER = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over several: FAIL beats ERROR beats INCONCLUSIVE beats PASS.

    SKIPPED ones do not count; if nothing else is there the result is SKIPPED, and without any
    verdict at all it is INCONCLUSIVE, because an empty run is never green.
    """
    seen = set(verdicts)
    for verdict in _ORDER:
        if verdict in seen:
            return verdict
    return Verdict.SKIPPED if seen else Verdict.INCONCLUSIVE
