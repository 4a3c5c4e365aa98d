"""On which line of a TOML text each key stands; ``tomllib`` does not say."""

from __future__ import annotations

import re
import tomllib

__all__ = ["Key", "key_lines"]

Key = tuple[str, ...]
"""A key with the tables that it is in: ("targets", "shop", "url")."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
# Between the things of a document, an array or an inline table.
_BETWEEN = re.compile(r"(?:[\s]|#[^\n]*)*")
# Strings, the long ones first: three quotes begin with one. A long string may end in five.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
# Numbers, dates (which may hold a space), true and false.
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Key, int]:
    """The line, from 1, of each table and key of a TOML text that ``tomllib`` accepts.

    Of a table, where its header or its inline form stands, else where it is first named. Items
    of an array have their index as key: ("hosts", "0"); those of an array of tables do not.
    """
    return _Scanner(text.replace("\r\n", "\n")).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Key, int] = {}

    def document(self) -> dict[Key, int]:
        table: Key = ()
        while self._more():
            if self._next() == "[":
                self._skip("[")
                table = self._key(())
                self._skip("]")
            else:
                self._pair(table)
        return self._lines

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _more(self) -> bool:
        """Go on to whatever is next; whether there is anything."""
        self._pass(_BETWEEN)
        return self._at < len(self._text)

    def _pass(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"no {pattern.pattern} at {self._at}")
        self._at = match.end()
        return match[0]

    def _skip(self, character: str) -> None:
        while self._next() == character:
            self._at += 1

    def _pair(self, table: Key) -> None:
        key = self._key(table)
        self._skip("=")
        self._value(key)

    def _key(self, table: Key) -> Key:
        """Read a key, remember its line, and that of tables that it is the first to name."""
        self._pass(_BLANK)
        line = self._text.count("\n", 0, self._at) + 1
        key = table
        while True:
            key = (*key, self._part())
            self._lines.setdefault(key, line)
            self._pass(_BLANK)
            if self._next() != ".":
                break
            self._at += 1
            self._pass(_BLANK)
        self._lines[key] = line
        return key

    def _part(self) -> str:
        if self._next() in ('"', "'"):
            return str(tomllib.loads(f"part = {self._pass(_STRING)}")["part"])
        return self._pass(_BARE)

    def _value(self, key: Key) -> None:
        self._pass(_BLANK)
        opening = self._next()
        if opening == "[":
            self._array(key)
        elif opening == "{":
            self._inline_table(key)
        else:
            self._pass(_STRING if opening in ('"', "'") else _SCALAR)
        self._pass(_BLANK)

    def _array(self, key: Key) -> None:
        self._at += 1
        index = 0
        while self._more() and self._next() != "]":
            item = (*key, str(index))
            self._lines[item] = self._text.count("\n", 0, self._at) + 1
            self._value(item)
            self._pass(_BETWEEN)
            self._skip(",")
            index += 1
        self._at += 1

    def _inline_table(self, key: Key) -> None:
        self._at += 1
        while self._more() and self._next() != "}":
            self._pair(key)
            self._pass(_BETWEEN)
            self._skip(",")
        self._at += 1
