"""A line for people out of the body of an error response."""

from __future__ import annotations

import html
import re
from typing import Any

from qa_runner.redaction import redact

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


def error_message(document: Any, text: str, keep: str = "") -> str:
    """The message in an error body, on one line; empty if there is no short one in JSON.

    ``document`` is the body as JSON (None if it is none), ``text`` the body as text. The message
    is redacted, but for what contains ``keep``.
    """
    if isinstance(document, dict):
        message = plain(_from_json(document, _DEEPEST))
        return redact(message, keep) if len(message) <= _MESSAGE_CHARACTERS else ""
    found = (_TITLE.search(text), _EXCEPTION.search(text))
    # Cut after redacting: half of a secret is still one.
    message = redact(
        plain(": ".join(html.unescape(match[1]).strip() for match in found if match)), keep
    )
    if len(message) <= _MESSAGE_CHARACTERS:
        return message
    # A page has one title and one exception: their beginning tells what they are about.
    return f"{message[: _MESSAGE_CHARACTERS - 1]}…"


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
