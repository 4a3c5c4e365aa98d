"""Where qa-runner's own warnings and tracebacks go: into the run folder, never to the terminal."""

from __future__ import annotations

import logging
from pathlib import Path

from qa_runner.redaction import redact

__all__ = ["LOG_NAME", "log_to"]

LOG_NAME = "qa-runner.log"


def log_to(folder: Path) -> None:
    """Append to ``qa-runner.log`` in a run folder from now on; the file is made when needed."""
    logger = logging.getLogger("qa_runner")
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(folder / LOG_NAME, encoding="utf-8", delay=True)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    # Without this the last resort of logging prints to stderr.
    logger.propagate = False


class _Redacting(logging.Formatter):
    """What an exception says can be anything, a header or a database URL too."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
