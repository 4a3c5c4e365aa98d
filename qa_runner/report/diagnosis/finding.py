"""What a rule says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qa_runner.table import Mask

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One cause, in plain text.

    ``cause`` is a sentence without its first capital and its full stop, so that it can stand
    behind the criterion that it explains. ``explains`` maps the ids of criteria to how much of
    them it accounts for, above 0 up to 1; ``requests`` are those it speaks of, as a mask of the
    samples of each part or step. ``evidence`` is an anchor of the page; empty for that of
    the first criterion. A ``standalone`` finding is told even where it explains no criterion.
    One that is not ``likely`` tells of the run itself, and is no cause of what the target did.
    """

    rule: str
    cause: str
    remedy: str = ""
    explains: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, Mask] = field(default_factory=dict)
    evidence: str = ""
    standalone: bool = False
    likely: bool = True
