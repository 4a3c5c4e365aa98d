"""Counts the requests of one cause over the parts, and says so in words."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.criteria import CriterionResult
from qa_runner.report.diagnosis.evidence import Owner
from qa_runner.report.diagnosis.explain import TIMES, shares
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.format import plural
from qa_runner.table import Mask

__all__ = ["Tally"]


class Tally:
    """What one cause did, gathered owner by owner.

    ``first`` is the first owner of which it explains a criterion, ``mask`` the requests that do;
    ``requests`` are those of all owners by id. A failure counts wherever it was, also where no
    criterion failed for it, so that it has the number that it has among the errors of the page.
    """

    def __init__(self) -> None:
        self.explains: dict[str, float] = {}
        self.first: Owner | None = None
        self.mask: Mask | None = None
        self.requests: dict[str, Mask] = {}
        self._every: dict[str, tuple[int, int]] = {}

    def add(self, owner: Owner, mask: Mask, late: Mask | None = None) -> bool:
        """Count the requests in ``mask``; whether they explain a criterion of the owner.

        Those in ``late`` explain times and nothing else.
        """
        found = shares(owner, mask)
        if late is not None:
            found |= shares(owner, mask | late, TIMES)
        self.explains = found | self.explains
        if found:
            self._tell(owner, mask)
        if found or (mask.any() and not (mask & owner.good).any()):
            self._count(owner, mask)
        return bool(found)

    def claim(self, owner: Owner, mask: Mask, results: Iterable[CriterionResult]) -> None:
        """Explain these criteria, whatever requests decided them, by those in ``mask``."""
        claimed = {result.id: 1.0 for result in results}
        if claimed and mask.any():
            self.explains |= claimed
            self._tell(owner, mask)
            self._count(owner, mask)

    def _tell(self, owner: Owner, mask: Mask) -> None:
        if self.first is None or (owner.is_part and not self.first.is_part):
            self.first, self.mask = owner, mask

    def _count(self, owner: Owner, mask: Mask) -> None:
        self.requests[owner.id] = mask
        if owner.is_part:
            self._every[owner.id] = int(mask.sum()), len(owner.samples)

    def finding(self, rule: str, cause: str, remedy: str) -> Finding:
        """What is said of the requests that were counted."""
        return Finding(
            rule=rule,
            cause=cause,
            remedy=remedy,
            explains=self.explains,
            requests=self.requests,
        )

    def words(self) -> str:
        """How many of how many: 4 of 5 requests in 3.1 (220 of 320 in 4 parts).

        Of the first owner those that are judged, of all parts those of every role.
        """
        if self.first is None:
            return "no request"
        count, total = self._judged(self.first)
        text = f"{count:,} of {plural(total, 'request')} in {self.first.id}"
        counts, totals = (sum(column) for column in zip((0, 0), *self._every.values(), strict=True))
        if counts > count:
            parts = len(self._every)
            where = f"in {parts} parts" if parts > 1 else "of every role"
            text += f" ({counts:,} of {totals:,} {where})"
        return text

    def _judged(self, owner: Owner) -> tuple[int, int]:
        mask = self.requests[owner.id]
        judged = mask & owner.main
        if judged.any():
            return int(judged.sum()), int(owner.main.sum())
        return int(mask.sum()), len(owner.samples)

    def were(self) -> str:
        """The verb for :meth:`words`."""
        return "was" if self.first and self._judged(self.first)[0] == 1 else "were"
