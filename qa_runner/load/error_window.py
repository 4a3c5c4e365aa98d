"""The error budget: how many of the requests that ended lately failed. Pure and clock-free."""

from __future__ import annotations

import re
from collections import Counter, deque

from qa_runner.configuration.schema import ErrorBudget

__all__ = ["ErrorWindow"]

_NUMBERS = re.compile(r"\d+")


class ErrorWindow:
    """The requests that ended within ``budget.seconds`` before the latest of them.

    They may come from several loads, and a little out of order.
    """

    def __init__(self, budget: ErrorBudget) -> None:
        self._budget = budget
        self._ended: deque[tuple[float, str]] = deque()
        self._failed = 0
        self._latest = float("-inf")

    def add(self, finished: float, error: str) -> bool:
        """Take in a request that ended at ``finished`` seconds; ``error`` is empty if it succeeded.

        True if the budget is exceeded now.
        """
        self._latest = max(self._latest, finished)
        self._ended.append((finished, error))
        if error:
            self._failed += 1
        oldest = self._latest - self._budget.seconds
        while self._ended[0][0] <= oldest:
            if self._ended.popleft()[1]:
                self._failed -= 1
        count = len(self._ended)
        return count >= self._budget.requests and self._failed / count > self._budget.rate

    def describe(self) -> str:
        """Rate, count, window and the most frequent error, in words; some must have failed."""
        count, budget = len(self._ended), self._budget
        return (
            f"{_percent(self._failed / count)} of the requests that ended within "
            f"{budget.seconds:g} s failed ({self._failed} of {count}; {_percent(budget.rate)} are "
            f"allowed), most often with: {self._most_frequent()}"
        )

    def _most_frequent(self) -> str:
        # Errors that differ by a number only (an id, a duration) are one.
        kinds = [(_NUMBERS.sub("#", error), error) for _, error in self._ended if error]
        ((most, _),) = Counter(kind for kind, _ in kinds).most_common(1)
        return next(error for kind, error in kinds if kind == most)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
