"""A target as the runner sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from qa_runner.monitors.process_rule import ProcessRule
from qa_runner.monitors.project import DjangoProject

__all__ = ["Target", "runs_on"]


def runs_on() -> str:
    """Nothing is known of an end."""
    return ""


@dataclass(frozen=True, slots=True)
class Target:
    """An API that answers at ``url``, a root without a slash at its end.

    ``name`` is what the user calls it ("demo", a name of qa-runner.toml, or the URL),
    ``environment`` where it runs ("embedded", "local", "staging"), ``host`` the IP address.
    ``headers`` go with every request; their values are secrets. ``process`` says which process is
    the server. ``log_path`` and ``project`` are None where they are not known; ``facts`` are for
    the report.
    """

    name: str
    url: str
    environment: str
    host: str
    port: int
    faults: tuple[str, ...] = ()
    log_path: Path | None = None
    project: DjangoProject | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    verify_tls: bool = True
    process: ProcessRule = field(default_factory=ProcessRule)
    facts: dict[str, str] = field(default_factory=dict)
    ended: Callable[[], str] = field(default=runs_on, repr=False, compare=False)
    """How a server that the run started has ended by itself, in a sentence; "" while it runs."""
