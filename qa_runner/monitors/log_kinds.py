"""What a line of a server's log, or the body of a response, says about database and server."""

from __future__ import annotations

import re

__all__ = ["DEADLOCK", "LOCK", "OTHER", "SERVER_ERROR", "TIMEOUT", "classify", "kind_of_text"]

LOCK = "lock"
DEADLOCK = "deadlock"
TIMEOUT = "timeout"
SERVER_ERROR = "server-error"
OTHER = "other"

_DEADLOCK = re.compile(r"deadlock (?:detected|found)|DeadlockDetected", re.IGNORECASE)
_LOCK = re.compile(
    r"database (?:table |schema )?is locked|could not obtain lock|lock (?:wait )?timeout"
    r"|LockNotAvailable",
    re.IGNORECASE,
)
_TIMEOUT = re.compile(r"QueryCancell?ed|statement timeout|canceling statement", re.IGNORECASE)
# These words alone could be about any connection: only with a database in the same line.
_CONNECTING = re.compile(r"timeout expired|connection timed out", re.IGNORECASE)
_DATABASE = re.compile(
    r"OperationalError|psycopg|database|postgres|mysql|sqlite|connection to server|pgbouncer",
    re.IGNORECASE,
)
_SERVER_ERROR = re.compile(r"Internal Server Error|Traceback \(most recent call last\)")

_LEVELS = "DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL"
_SAME = {"WARN": "WARNING", "FATAL": "CRITICAL"}
# "[ERROR]", "ERROR:", "ERROR logger message", or the same after date, time, pid and the like.
_LEVEL_FIRST = re.compile(rf"\W{{0,3}}({_LEVELS})(?=[\s:\]|),-])", re.IGNORECASE)
_LEVEL_LATER = re.compile(rf"(?<![\w./-])({_LEVELS})(?![\w./-])")
_LEVEL_JSON = re.compile(rf"\"(?:level|levelname|severity)\"\s*:\s*\"({_LEVELS})\"", re.IGNORECASE)
_HEAD_CHARACTERS = 120


def kind_of_text(text: str) -> str:
    """The kind of trouble that a text speaks of: lock, deadlock, timeout, server-error, or ""."""
    if _DEADLOCK.search(text):
        return DEADLOCK
    if _LOCK.search(text):
        return LOCK
    if _TIMEOUT.search(text) or (_CONNECTING.search(text) and _DATABASE.search(text)):
        return TIMEOUT
    return SERVER_ERROR if _SERVER_ERROR.search(text) else ""


def level_of(line: str) -> str:
    """The level at the head of a line, as Python's logging calls it; "" if there is none."""
    match = _LEVEL_JSON.search(line) if line.startswith("{") else _LEVEL_FIRST.match(line)
    if match is None:
        # Deeper in the line only in upper case: "error" is a word there.
        match = _LEVEL_LATER.search(line[:_HEAD_CHARACTERS])
    if match is None:
        return ""
    level = match[1].upper()
    return _SAME.get(level, level)


def classify(line: str) -> tuple[str, str] | None:
    """Level and kind of a line; None if it is neither a warning, an error, nor of a known kind.

    The level is "" where the line names none; "Internal Server Error" and the header of a
    traceback are errors.
    """
    level, kind = level_of(line), kind_of_text(line)
    if kind == SERVER_ERROR and level in {"", "DEBUG", "INFO", "NOTICE"}:
        level = "ERROR"
    if level in {"ERROR", "CRITICAL"}:
        return level, kind or SERVER_ERROR
    if kind:
        return level, kind
    return (level, OTHER) if level == "WARNING" else None
