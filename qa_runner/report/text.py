"""Text that came from outside, made safe to show: nothing hidden, nothing endless."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["MOST_CHARACTERS", "clean", "visible"]

MOST_CHARACTERS = 4000

# Control characters, marks that reorder or hide text, and what XML cannot hold. The joiners
# U+200C and U+200D stay: several scripts need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with control characters, bidi marks and lone surrogates spelt out (<U+202E>)."""
    return _HIDDEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", text.replace("\r\n", "\n"))


def clean(value: Any) -> Any:
    """A JSON-like value with each text in it visible and cut to 4000 characters."""
    if isinstance(value, str):
        if len(value) > MOST_CHARACTERS:
            value = f"{value[:MOST_CHARACTERS]}… ({len(value) - MOST_CHARACTERS} more characters)"
        return visible(value)
    if isinstance(value, dict):
        return {clean(key): clean(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [clean(held) for held in value]
    return value
