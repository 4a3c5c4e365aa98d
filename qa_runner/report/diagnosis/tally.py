"""Counts the requests of one cause over the parts, and says so in words."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.criteria import CriterionResult
from qa_runner.report.diagnosis.evidence import Owner
from qa_runner.report.diagnosis.explain import shares
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.format import plural
from qa_runner.table import Mask

__all__ = ["Tally"]


class Tally:
    """What one cause did, gathered owner by owner.

    ``first`` is the first owner of requests that it concerns, ``mask`` these requests;
    ``requests`` are those of all owners by id.
    """

    def __init__(self) -> None:
        self.explains: dict[str, float] = {}
        self.first: Owner | None = None
        self.mask: Mask | None = None
        self.requests: dict[str, Mask] = {}
        self._affected: dict[str, tuple[int, int]] = {}

    def add(self, owner: Owner, mask: Mask) -> bool:
        """Count the requests in ``mask``; whether they explain a criterion of the owner."""
        found = shares(owner, mask) if mask.any() else {}
        if found:
            self.explains = found | self.explains
            self._count(owner, mask)
        return bool(found)

    def claim(self, owner: Owner, mask: Mask, results: Iterable[CriterionResult]) -> None:
        """Explain these criteria, whatever requests decided them, by those in ``mask``."""
        claimed = {result.id: 1.0 for result in results}
        if claimed and mask.any():
            self.explains |= claimed
            self._count(owner, mask)

    def _count(self, owner: Owner, mask: Mask) -> None:
        if self.first is None or (owner.is_part and not self.first.is_part):
            self.first, self.mask = owner, mask
        self.requests[owner.id] = mask
        judged = mask & owner.main
        if judged.any():
            self._affected[owner.id] = int(judged.sum()), int(owner.main.sum())
        else:
            self._affected[owner.id] = int(mask.sum()), len(owner.samples)

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
        """How many of how many: 4 of 5 requests in 3.1 (220 of 320 in 4 parts)."""
        if self.first is None:
            return "no request"
        count, total = self._affected[self.first.id]
        text = f"{count:,} of {plural(total, 'request')} in {self.first.id}"
        parts = [found for owner, found in self._affected.items() if "." in owner]
        if len(parts) > 1:
            counts, totals = (sum(column) for column in zip(*parts, strict=True))
            text += f" ({counts:,} of {totals:,} in {len(parts)} parts)"
        return text

    def were(self) -> str:
        """The verb for :meth:`words`."""
        return "was" if self.first and self._affected[self.first.id][0] == 1 else "were"
