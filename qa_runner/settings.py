"""What a command was asked to do, as one frozen value."""

from __future__ import annotations

from pathlib import Path

import msgspec

from qa_runner.configuration.schema import Configuration

__all__ = ["DEFAULT_OUTPUT", "RunSettings"]

DEFAULT_OUTPUT = Path("artifacts")


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``qa-runner run``, as given.

    ``target`` is ``demo``, a URL, or the name of a target of the ``configuration``, which is never
    stored.
    """

    case: str
    configuration: Configuration = Configuration()
    target: str = "demo"
    target_named: bool = True
    """False if it is only the default."""
    confirm: str = ""
    """The host of a protected target, typed again."""
    faults: tuple[str, ...] = ()
    profile: str = "full"
    steps: tuple[str, ...] = ()
    assignments: tuple[str, ...] = ()
    output: Path = DEFAULT_OUTPUT
    found_with: tuple[str, ...] = ()
    """What a later command needs to find the run again, as typed: --output, --config."""
    cleanup: bool = False
    database_url: str = ""
    """PostgreSQL server for the embedded target; may hold a password, so it is never stored."""
