"""Which Django project a probe has to open."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["DjangoProject"]


@dataclass(frozen=True, slots=True)
class DjangoProject:
    """How to open the target's Django project, with its own interpreter and settings.

    ``python_path`` are folders to put on ``sys.path``, first ones first; ``environment`` is added
    to that of the process; it may hold passwords. ``models`` and ``intent_field`` are what differs
    from the test case's: roles to ``app.Model``, and the transactions' field with the payment
    intent id.
    """

    interpreter: str
    settings_module: str
    python_path: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    models: dict[str, str] = field(default_factory=dict)
    intent_field: str = ""
