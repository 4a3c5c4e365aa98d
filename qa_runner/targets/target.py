"""A target as the runner sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from qa_runner.monitors.project import DjangoProject

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """An API that answers at ``url``, a root without a slash at its end.

    ``name`` is what the user calls it ("demo", or the URL), ``environment`` where it runs
    ("embedded", "local"). ``log_path`` and ``project`` are None where they are not known;
    ``facts`` are for the report.
    """

    name: str
    url: str
    environment: str
    host: str
    port: int
    faults: tuple[str, ...] = ()
    log_path: Path | None = None
    project: DjangoProject | None = None
    facts: dict[str, str] = field(default_factory=dict)
