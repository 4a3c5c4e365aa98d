"""A line for people out of the body of an error response."""

from __future__ import annotations

import html
import re
from typing import Any

__all__ = ["error_message", "excerpt"]

_EXCERPT_CHARACTERS = 300
_MESSAGE_CHARACTERS = 160
# Where APIs put it: Django REST framework says detail, others error, message, or error.message.
_NAMES = ("error", "detail", "message", "title", "reason")
# error.error.message and the like; what a server nests deeper is no message.
_DEEPEST = 4
_TITLE = re.compile(r"<title[^>]{0,80}>(.{0,400}?)</title>", re.IGNORECASE | re.DOTALL)
# Django's page for an error under DEBUG has what went wrong here.
_EXCEPTION = re.compile(
    r'<pre class="exception_value">(.{0,400}?)</pre>', re.IGNORECASE | re.DOTALL
)


def error_message(document: Any, text: str) -> str:
    """The message in an error body, on one line; empty if there is no short one.

    ``document`` is the body as JSON (None if it is none), ``text`` the body as text.
    """
    if isinstance(document, dict):
        message = _from_json(document, _DEEPEST)
    else:
        found = (_TITLE.search(text), _EXCEPTION.search(text))
        message = ": ".join(html.unescape(match[1]).strip() for match in found if match)
    message = plain(message)
    return message if len(message) <= _MESSAGE_CHARACTERS else ""


def _from_json(document: dict[str, Any], levels: int) -> str:
    for name in _NAMES:
        value = document.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, dict) and levels > 1:
            nested = _from_json(value, levels - 1)
            if nested:
                return nested
    return ""


def excerpt(text: str) -> str:
    """The first 300 characters, without control characters."""
    return plain(text)[:_EXCERPT_CHARACTERS]


def plain(text: str) -> str:
    """On one line: white space as single spaces, control and invisible characters left out."""
    return "".join(
        character for character in " ".join(text.split()) if character.isprintable()
    ).strip()
