"""Where in qa-runner.toml something stands, for the errors about it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from qa_runner.configuration.locations import Key
from qa_runner.configuration.schema import Configuration
from qa_runner.errors import UsageError

__all__ = ["FileConfiguration", "Source", "dotted", "source_of"]

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its ``data`` as they stand there, and the line of each key."""

    path: Path = Path()
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    lines: Mapping[Key, int] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """The file as it is called in messages: from the working folder where it is below."""
        try:
            return str(self.path.relative_to(Path.cwd()))
        except (ValueError, OSError):
            return str(self.path)

    def where(self, key: Key) -> str:
        """File and line of a key, or of the table that it would stand in."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.shown}:{self.lines[key]}" if key else self.shown

    def error(self, key: Key, what: str) -> UsageError:
        """An error about a key: file, line, key and what is wrong."""
        return UsageError(f"{self.where(key)}: {dotted(key)}: {what}")

    def unknown(
        self, key: Key, what: str, valid: Iterable[str], *, value: str | None = None
    ) -> UsageError:
        """An error about a key, or the ``value`` there, that is not among the ``valid`` ones."""
        choices = list(valid)
        name = key[-1] if value is None else value
        by_folded = {choice.casefold(): choice for choice in choices}
        close = get_close_matches(name.casefold(), by_folded, n=1)
        hint = f" Did you mean {by_folded[close[0]]}?" if close else ""
        return self.error(key, f"{what}.{hint} Valid: {', '.join(choices) or 'none'}")

    def absolute(self, path: str) -> Path:
        """A path of the file: relative ones are relative to its folder, ``~`` is the home.

        Links are not followed: the interpreter of a virtual environment is one. Raises
        RuntimeError for the home of a user that there is not.
        """
        return Path(os.path.normpath(self.path.absolute().parent / Path(path).expanduser()))


class FileConfiguration(Configuration, frozen=True, kw_only=True):
    """A configuration that was read from a file."""

    source: Source


def source_of(configuration: Configuration) -> Source:
    """The file that a configuration was read from; an empty one where there is none."""
    return configuration.source if isinstance(configuration, FileConfiguration) else Source()


def dotted(key: Key) -> str:
    """A key as it may be written in the file."""
    return ".".join(part if _BARE.match(part) else json.dumps(part) for part in key)
