"""The telling part of a record of the server's log."""

from __future__ import annotations

import re

__all__ = ["has_traceback", "without_head"]

_MOST_CHARACTERS = 160
# Date, time, process and the like before the level, and the logger behind it.
_HEAD = re.compile(
    r"^.{0,80}?\b(?:WARNING|WARN|ERROR|CRITICAL|FATAL)\b[\]:,)]*\s+(?:[\w.]{1,60}:?\s+(?=\S))?"
)


# The monitor puts the last line of a traceback behind an ellipsis.
_BEHIND = " … "


def has_traceback(text: str) -> bool:
    """Whether the record had more than the line that says that something went wrong."""
    return _BEHIND in text or text.startswith("Traceback")


def without_head(text: str) -> str:
    """A record without date, level and logger, the exception alone if there is one; cut."""
    told = text.rpartition(_BEHIND)[2] if _BEHIND in text else _HEAD.sub("", text)
    return told[:_MOST_CHARACTERS]
