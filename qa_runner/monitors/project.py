"""Which Django project a probe has to open."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["DjangoProject"]


@dataclass(frozen=True, slots=True)
class DjangoProject:
    """How to open the target's Django project, with its own interpreter and settings.

    ``python_path`` are folders to put on ``sys.path``, first ones first; ``environment`` is added
    to that of the process.
    """

    interpreter: str
    settings_module: str
    python_path: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
