"""What the probe says when it cannot do what was asked."""

from __future__ import annotations

__all__ = ["ProbeFailure", "one_line"]

_CHARACTERS = 400


class ProbeFailure(Exception):
    """One line that says what is wrong and what to do."""


def one_line(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    line = name + ": " + text if text else name
    if len(line) <= _CHARACTERS:
        return line
    # Between words: half of a secret is still one, and whoever masks it would not know it.
    return line[:_CHARACTERS].rpartition(" ")[0] + " …"
