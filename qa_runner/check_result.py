"""What a check of a target before its run found: the values."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["CheckResult", "Level"]


class Level(StrEnum):
    """What a finding means for the run."""

    OK = "ok"
    NOTE = "note"
    """Good to know; figures are what they are."""
    WARNING = "warning"
    """Criteria cannot be measured, or figures mean less than they seem to."""
    FAILURE = "failure"
    """It would spoil the run, which is not begun."""


class CheckResult(msgspec.Struct, kw_only=True, frozen=True):
    """A check and what it found: one sentence, and what to do about it.

    ``criteria`` are the ids of those that will be INCONCLUSIVE because of it.
    """

    id: str
    title: str
    level: Level
    text: str
    remedy: str = ""
    criteria: list[str] = []
    session: int = 1
