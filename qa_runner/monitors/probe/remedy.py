"""What to do about an error of a database: looked up by its SQLSTATE, else by its words."""

from __future__ import annotations

import re

__all__ = ["remedy"]

_AGAIN = "it tries again"
_NEXT = "the probe opens another with its next reading"
# At the start nothing comes after.
_AT_START = {
    _AGAIN: "find who does (a shell, a migration, an open transaction), and start again",
    _NEXT: "look into its log, and start again",
}

_RULES = (
    (
        "53300",
        r"too many clients|remaining connection slots|too many connections",
        "no connection is left for the probe: end idle ones, or raise max_connections",
    ),
    (
        "28",
        (
            r"password authentication failed|no password supplied|role .* does not exist"
            r"|access denied for user|pg_hba\.conf"
        ),
        "check USER and PASSWORD in DATABASES, and the environment variables that they come from",
    ),
    (
        "3D000",
        r"database .* does not exist|unknown database",
        "check NAME in DATABASES",
    ),
    (
        "42P01",
        r"no such table|relation .* does not exist|table .* doesn't exist",
        "is this the server's database, and migrated? Run manage.py migrate with these settings",
    ),
    (
        "42703",
        r"no such column|column .* does not exist|unknown column",
        "the models are ahead of the database: is it migrated? Run manage.py migrate",
    ),
    (
        "42501",
        r"permission denied",
        "the database user may not read this: give the user that the server has",
    ),
    (
        "25006",
        r"readonly database|read-only",
        "the database can only be read: give file and folder to this user, or the primary server",
    ),
    (
        "",
        r"unable to open database file",
        "check NAME in DATABASES, and who may read the file and write into its folder",
    ),
    (
        "",
        r"file is not a database|disk image is malformed",
        "check NAME in DATABASES: the file is damaged, or no SQLite database",
    ),
    (
        "",
        r"could not translate host name|name or service not known|getaddrinfo|nodename nor",
        "check HOST in DATABASES",
    ),
    (
        "",
        (
            r"connection refused|could not connect|no such file or directory"
            r"|can't connect to .* server"
        ),
        "does the database server run? Check HOST and PORT in DATABASES",
    ),
    (
        "",
        (
            r"connection timeout|timeout expired|connection timed out|no route to host"
            r"|network is unreachable"
        ),
        "the database's host does not answer: check HOST and PORT in DATABASES, and the network",
    ),
    (
        "57P",
        (
            r"terminating connection|server closed the connection|connection is closed|gone away"
            r"|connection already closed|consuming input failed"
        ),
        f"the database server ended the connection; {_NEXT}",
    ),
    (
        "55P03",
        r"database (?:table |schema )?is locked|lock timeout",
        f"somebody holds a lock for longer than the probe waits; {_AGAIN}",
    ),
    (
        "57014",
        r"statement timeout|\binterrupted\b",
        "that takes longer than the probe may burden the database",
    ),
)


def remedy(error: BaseException, *, opening: bool = False) -> str:
    """A few words; empty where none is known. ``opening`` the database is not tried again."""
    state = _state(error)
    for code, words, text in _RULES:
        if (code and state.startswith(code)) or re.search(words, str(error), re.IGNORECASE):
            return _at_start(text) if opening else text
    return ""


def _at_start(text: str) -> str:
    for later, now in _AT_START.items():
        text = text.replace(later, now)
    return text


def _state(error: BaseException) -> str:
    """The SQLSTATE of the driver's error; psycopg 2 and 3 name it differently."""
    cause = error.__cause__
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
