"""Faults strike by count rather than by chance, so that each run sees the same."""

from __future__ import annotations

import itertools

__all__ = ["EveryNth", "TwoOfFive"]


class EveryNth:
    """Strikes at the requests n, 2n, 3n …"""

    def __init__(self, n: int) -> None:
        self._n = n
        # next() of a count is atomic, so this needs no lock.
        self._count = itertools.count(1)

    def strikes(self) -> bool:
        """Count a request; whether it is struck."""
        return next(self._count) % self._n == 0


class TwoOfFive:
    """Strikes at the 2nd and 4th of each five requests: 40 %, spread out."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def strikes(self) -> bool:
        """Count a request; whether it is struck."""
        return next(self._count) % 5 in (2, 4)
