"""The telling part of a record of the server's log."""

from __future__ import annotations

import re

__all__ = ["without_head"]

_MOST_CHARACTERS = 160
# Date, time, process and the like before the level, and the logger behind it.
_HEAD = re.compile(
    r"^.{0,80}?\b(?:WARNING|WARN|ERROR|CRITICAL|FATAL)\b[\]:,)]*\s+(?:[\w.]{1,60}:?\s+(?=\S))?"
)


def without_head(text: str) -> str:
    """A record without date, level and logger, the exception alone if there is one; cut."""
    # The monitor puts the last line of a traceback behind an ellipsis.
    told = text.rpartition(" … ")[2] if " … " in text else _HEAD.sub("", text)
    return told[:_MOST_CHARACTERS]
