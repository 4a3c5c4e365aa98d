"""The server's log: one line for each record. Standard library only."""

from __future__ import annotations

import logging
import logging.config
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["ACCESS", "configure"]

ACCESS = "purchase_api.access"


class LineFormatter(logging.Formatter):
    """``2026-11-21T10:00:00.123+00:00 LEVEL logger message: ExceptionType: its text``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; an exception is named, its traceback left out."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text}: {type(error).__name__}: {error}"
        # Requests must not be able to write lines of their own.
        text = "".join(c if c.isprintable() else " " for c in text)
        return f"{time} {record.levelname} {record.name} {text}"


def configure(path: Path | None, *, console: bool) -> None:
    """Log to the file ``path``, appending, and to stderr if ``console``.

    Access lines go to the console alone: at hundreds a second they would drown the file.
    Raises OSError if the file cannot be written.
    """
    handlers: dict[str, dict[str, object]] = {}
    if path is not None:
        handlers["file"] = {
            "class": "logging.FileHandler",
            "filename": str(path),
            "encoding": "utf-8",
            "errors": "backslashreplace",
            "formatter": "line",
        }
    if console or path is None:
        handlers["console"] = {"class": "logging.StreamHandler", "formatter": "line"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": LineFormatter}},
            "handlers": handlers,
            "root": {"level": "INFO", "handlers": list(handlers)},
            "loggers": {
                ACCESS: {
                    "level": "INFO",
                    "handlers": ["console"] if console else [],
                    "propagate": False,
                },
            },
        }
    )
    # When the disk is full, the API goes on without its log.
    logging.raiseExceptions = False
