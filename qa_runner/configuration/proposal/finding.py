"""One thing that the proposal rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "How"]

How = Literal["given", "found", "guessed", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``name`` is a word for people ("settings"), ``note`` says where from, or what to do."""

    name: str
    value: str
    how: How
    note: str = ""
