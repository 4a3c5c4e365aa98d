"""Files in a multipart body: encoded by httpx with words in the place of what is no text."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qa_runner.load.plan import MixedBody

__all__ = ["Binaries"]

_WORD = "8f1c6d0e7b5a4e9bqarunnerbinary{}end"
_WORDS = re.compile(_WORD.format(r"(\d+)"))


class Binaries:
    """What is no text of a request, taken out of it and put into its encoded body again."""

    def __init__(self) -> None:
        self._taken: list[bytes] = []

    def take(self, data: bytes) -> str:
        """Keep ``data``; the word that stands for it."""
        self._taken.append(data)
        return _WORD.format(len(self._taken) - 1)

    def out_of_data(self, data: Any) -> Any:
        """The fields of a form, with words for their bytes."""
        match data:
            case bytes():
                return self.take(data)
            case list() | tuple():
                return [self.out_of_data(value) for value in data]
            case Mapping():
                return {name: self.out_of_data(value) for name, value in data.items()}
            case _:
                return data

    def out_of_files(self, files: Any) -> Any:
        """The ``files`` of httpx, with words for their bytes; file objects are read here.

        Raises TypeError for a file object that gives text.
        """
        items = files.items() if isinstance(files, Mapping) else files
        return [(name, self._out_of_file(value)) for name, value in items]

    def _out_of_file(self, value: Any) -> Any:
        if isinstance(value, tuple):
            name, content, *rest = value
            return (name, self._content(content), *rest)
        # The name that httpx would give it.
        name = Path(str(getattr(value, "name", "upload"))).name
        return (name, self._content(value))

    def _content(self, content: Any) -> Any:
        if hasattr(content, "read"):
            if isinstance(content, io.TextIOBase):
                raise TypeError("a file to be sent must be opened in binary mode")
            content = content.read()
        return self.take(content) if isinstance(content, bytes) else content

    def put_back(self, text: str) -> str | MixedBody:
        """The encoded body, with what was taken in the place of its words."""
        if not self._taken:
            return text
        # The numbers of the words stand between the texts.
        pieces = _WORDS.split(text)
        binaries = tuple(self._taken[int(number)] for number in pieces[1::2])
        return MixedBody(texts=tuple(pieces[::2]), binaries=binaries)
