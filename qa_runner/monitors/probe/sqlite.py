"""What can be seen of an SQLite database from beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .connection import Connection
from .failure import ProbeFailure

__all__ = ["SQLiteWatch"]

_SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


class SQLiteWatch:
    """Reads the sizes of the file and of its write-ahead log, and notices another file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._path = Path(str(connection.settings["NAME"])).resolve()
        self._identity: tuple[int, int] | None = None

    def read(self) -> dict[str, Any]:
        """The sizes now."""
        return {"stored_bytes": _size(self._path), "wal_bytes": _size(self._wal)}

    def facts(self) -> dict[str, Any]:
        """How the database is set up, beyond what every kind has."""
        level = int(self._connection.fetch("PRAGMA synchronous")[0][0])
        return {"synchronous": _SYNCHRONOUS.get(level, str(level))}

    def check(self) -> None:
        """Raise ProbeFailure if the file is missing, or no longer the one of the first look.

        An open connection would go on reading the old one, which nobody else sees any more.
        """
        try:
            found = os.stat(self._path)  # noqa: PTH116 (each second)
        except FileNotFoundError:
            if self._identity is None:
                raise ProbeFailure(
                    f"there is no database file {self._path}: check NAME in DATABASES (a relative "
                    "one begins at the project's folder), or let the server make it first"
                ) from None
            raise ProbeFailure(
                f"the database file {self._path.name} is gone: what the server writes now cannot "
                "be seen; leave it where it is while a run lasts"
            ) from None
        except OSError:
            return  # what is wrong is told when it is opened
        identity = (found.st_dev, found.st_ino)
        if self._identity is None:
            self._identity = identity
        if identity != self._identity:
            raise ProbeFailure(
                f"the database file {self._path.name} was replaced by another one since the run "
                "began: its rows cannot be compared; start a new run"
            )

    @property
    def _wal(self) -> Path:
        return self._path.with_name(self._path.name + "-wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
