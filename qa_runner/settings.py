"""What a command was asked to do, as one frozen value."""

from __future__ import annotations

from pathlib import Path

import msgspec

__all__ = ["DEFAULT_OUTPUT", "RunSettings"]

DEFAULT_OUTPUT = Path("artifacts")


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``qa-runner run``, as given."""

    case: str
    target: str = "demo"
    faults: tuple[str, ...] = ()
    profile: str = "full"
    steps: tuple[str, ...] = ()
    assignments: tuple[str, ...] = ()
    output: Path = DEFAULT_OUTPUT
    cleanup: bool = False
