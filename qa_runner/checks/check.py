"""What a check is, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa_runner.check_result import Level
from qa_runner.checks.checked_target import CheckedTarget

__all__ = ["Check", "Finding", "failure", "note", "ok", "unmeasured", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, in one sentence without a full stop, and what to do about it.

    ``criteria`` are the ids of those that cannot be measured because of it.
    """

    level: Level
    text: str
    remedy: str = ""
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. ``run`` gives None where it does not apply to this target.

    ``sends`` says that it looks at the answer to the one real request.
    """

    id: str
    title: str
    run: Callable[[CheckedTarget], Finding | None]
    sends: bool = False


def ok(text: str) -> Finding:
    """Nothing to object to."""
    return Finding(Level.OK, text)


def note(text: str, remedy: str = "") -> Finding:
    """Good to know."""
    return Finding(Level.NOTE, text, remedy)


def warning(text: str, remedy: str = "") -> Finding:
    """Figures mean less than they seem to."""
    return Finding(Level.WARNING, text, remedy)


def unmeasured(text: str, remedy: str, criteria: Sequence[str]) -> Finding:
    """A warning that these criteria cannot be measured; a note if there are none."""
    return Finding(Level.WARNING if criteria else Level.NOTE, text, remedy, tuple(criteria))


def failure(text: str, remedy: str = "") -> Finding:
    """The run would be spoilt."""
    return Finding(Level.FAILURE, text, remedy)
