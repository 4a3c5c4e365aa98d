"""Values in a JSON document, by paths such as ``"items.0.id"``."""

from __future__ import annotations

from typing import Any

import msgspec

from qa_runner.redaction import redact_front

__all__ = ["MISSING", "Path", "difference", "emptiness", "find", "parse_path"]

MISSING = object()
"""What :func:`find` returns where there is no value; null is None."""

Path = tuple[str, ...]
_SHOWN_CHARACTERS = 80
_LOOKED_AT_CHARACTERS = 4 * _SHOWN_CHARACTERS


def parse_path(text: str) -> Path:
    """Names of members, and indices of lists from 0, between dots."""
    return tuple(text.split("."))


def find(document: Any, path: Path) -> Any:
    """The value, or MISSING."""
    for step in path:
        if isinstance(document, dict):
            if step not in document:
                return MISSING
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return MISSING
    return document


def emptiness(value: Any) -> str:
    """What keeps a required value from being one, in a word; empty if nothing does."""
    if value is MISSING:
        return "missing"
    if value is None:
        return "null"
    if value is False:
        return "false"
    return "empty" if value in ("", [], {}) else ""


def difference(value: Any, expected: Any, keep: str = "") -> str:
    """In words how a value is not the one expected; empty if it is.

    The values are redacted, but for what contains ``keep``.
    """
    if value is MISSING:
        return "missing"
    if _same(value, expected):
        return ""
    return f"{_shown(value, keep)}, not {_shown(expected, keep)}"


def _same(value: Any, expected: Any) -> bool:
    # Python takes True for 1, JSON does not.
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, list) and isinstance(expected, list | tuple):
        return len(value) == len(expected) and all(map(_same, value, expected))
    if isinstance(value, dict) and isinstance(expected, dict):
        return value.keys() == expected.keys() and all(
            _same(value[name], expected[name]) for name in value
        )
    return bool(value == expected)


def _shown(value: Any, keep: str) -> str:
    # Cut after redacting: half of a secret is still one.
    text = redact_front(msgspec.json.encode(value).decode(), _LOOKED_AT_CHARACTERS, keep)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
