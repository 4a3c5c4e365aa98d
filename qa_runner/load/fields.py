"""The fields of a template: ``{i}``, ``{tag}`` and ``{uuid}``; every other brace is literal."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

__all__ = ["Parts", "join_parts", "split_fields", "uuids"]

_FIELD = re.compile(r"\{(i|tag|uuid)\}")
_BLOCK = 256
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}

Parts = tuple[tuple[bytes, ...], ...]
"""``{uuid}`` stands wherever two of the outer meet, ``{i}`` wherever two of the inner do."""


def split_fields(text: str, tag: str, literal: Callable[[str], bytes] = str.encode) -> Parts:
    """Take a text apart at its fields, with ``tag`` in the place of {tag}.

    All in one pass: what a field is replaced by is never taken for a field itself. ``literal``
    encodes what is none.
    """
    pieces = _FIELD.split(text)
    parts: list[list[bytes]] = [[literal(pieces[0])]]
    for name, after in zip(pieces[1::2], pieces[2::2], strict=True):
        following = literal(after)
        match name:
            case "tag":
                parts[-1][-1] += tag.encode() + following
            case "i":
                parts[-1].append(following)
            case _:
                parts.append([following])
    return tuple(tuple(part) for part in parts)


def join_parts(*several: Parts) -> Parts:
    """One after the other, as one."""
    parts: list[list[bytes]] = [[b""]]
    for single in several:
        first, *others = single
        parts[-1][-1] += first[0]
        parts[-1].extend(first[1:])
        parts.extend(list(part) for part in others)
    return tuple(tuple(part) for part in parts)


def uuids() -> Iterator[bytes]:
    """Random UUIDs without end (RFC 9562, version 4), from the system's source of randomness.

    A third of what ``uuid.uuid4`` costs: the source is asked for many at a time.
    """
    while True:
        digits = os.urandom(16 * _BLOCK).hex()
        for at in range(0, len(digits), 32):
            h = digits[at : at + 32]
            text = f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:]}"
            yield text.encode()
