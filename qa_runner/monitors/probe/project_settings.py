"""What the project's settings say that matters before a run; never a value."""

from __future__ import annotations

import os
import re
from typing import Any, Iterable, Iterator, Mapping

from django.conf import settings

__all__ = ["project_facts"]

# Keys of payment providers (Stripe's form, which others copied) tell their mode themselves.
_KEY = re.compile(r"\b(?:sk|pk|rk)_(live|test)_\w+")
_DEEPEST = 6
_MOST_VALUES = 10_000


def project_facts() -> dict[str, Any]:
    """The apps that are installed, the middleware, DEBUG, and the names of what holds payment keys.

    ``payment_keys`` maps the name of a setting, as ``PAYMENTS.stripe.secret``, to live or test;
    ``environment_keys`` that of an environment variable, inherited ones too.
    """
    return {
        "apps": [str(app) for app in settings.INSTALLED_APPS],
        "debug": bool(settings.DEBUG),
        "middleware": [str(name) for name in settings.MIDDLEWARE],
        "payment_keys": _modes(_values()),
        "environment_keys": _modes(os.environ.items()),
    }


def _modes(values: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names whose texts hold keys, and live or test: live if one of several is."""
    modes: dict[str, str] = {}
    for name, value in values:
        for mode in _KEY.findall(value):
            if modes.get(name) != "live":
                modes[name] = mode
    return modes


def _values() -> Iterator[tuple[str, str]]:
    """Names and texts of all settings, those within dictionaries and lists too."""
    left = [_MOST_VALUES]
    for name in dir(settings):
        if name.isupper():
            try:
                value = getattr(settings, name)
            except Exception:  # noqa: BLE001, S112 (settings are code; one that raises has no value)
                continue
            yield from _texts(name, value, _DEEPEST, left)


def _texts(name: str, value: Any, levels: int, left: Any) -> Iterator[tuple[str, str]]:
    left[0] -= 1
    if left[0] < 0 or levels == 0:
        return
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(f"{name}.{key}", inner, levels - 1, left)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _texts(name, inner, levels - 1, left)
