"""What a Server-Timing header says of the time inside the server.

The grammar is the W3C's (https://w3c.github.io/server-timing/): entries between commas, each a
name with parameters, ``db;dur=4.3;desc="7 queries"``; durations are milliseconds, of a repeated
parameter the first counts. No names are laid down, so these are looked for, in any case and in
this order:

* the time in the application, the database included: ``total``, ``app``, ``application``,
  ``process_action.action_controller`` (Rails), ``TimerPanel_total`` (Django's debug toolbar);
* the time in the database: ``db``, ``database``, ``sql``, ``sql.active_record`` (Rails),
  ``SQLPanel_sql_time`` (the debug toolbar);
* the number of queries: "7 queries" in the description of the database's entry.
"""

from __future__ import annotations

import re
from math import isfinite, nan
from typing import NamedTuple

__all__ = ["ServerTiming", "parse_server_timing"]

_TOTAL = ("total",)
_APPLICATION = ("app", "application", "process_action.action_controller", "timerpanel_total")
_DATABASE = ("db", "database", "sql", "sql.active_record", "sqlpanel_sql_time")
# A quoted text that does not end reaches to the end: to look again behind each of its quotes
# would take the square of the length.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^",;]+|[,;]', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_SECONDS = 1e6
"""What is longer is no duration of a request."""
_QUERIES = re.compile(r"(?<!\d)(\d{1,9})\s*quer", re.ASCII | re.IGNORECASE)

Entry = tuple[str, dict[str, str]]


class ServerTiming(NamedTuple):
    """Seconds in the application (the database included) and in the database, and the number of
    queries; NaN where the header does not say.
    """

    application_seconds: float = nan
    database_seconds: float = nan
    queries: float = nan


def parse_server_timing(header: str) -> ServerTiming:
    """Read a header, whatever it holds; several of them are joined by commas.

    Where a name of the database stands there more than once, the entry with its queries counts,
    else their sum; of the application the longest. An ``app`` shorter than the database
    cannot include it, so the two are added.
    """
    entries = _entries(header)
    database, queries = _database(_named(entries, _DATABASE))
    application = max(_durations(_named(entries, _TOTAL)), default=nan)
    if not isfinite(application):
        application = max(_durations(_named(entries, _APPLICATION)), default=nan)
        if application < database:
            application += database
    return ServerTiming(application, database, queries)


def _entries(header: str) -> list[Entry]:
    """Name and parameters, both in lower case, of each entry."""
    found: list[list[str]] = [[""]]
    for piece in _PIECE.findall(header):
        if piece == ",":
            found.append([""])
        elif piece == ";":
            found[-1].append("")
        else:
            found[-1][-1] += piece
    return [(name.strip().lower(), _parameters(rest)) for name, *rest in found]


def _parameters(texts: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        parameters.setdefault(name.strip().lower(), _unquoted(value.strip()))
    return parameters


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"')) if value.startswith('"') else value


def _named(entries: list[Entry], names: tuple[str, ...]) -> list[dict[str, str]]:
    """The parameters of the entries with the first of these names that is there."""
    for name in names:
        found = [parameters for known, parameters in entries if known == name]
        if found:
            return found
    return []


def _durations(entries: list[dict[str, str]]) -> list[float]:
    """In seconds, of those that have one."""
    found = (_NUMBER.match(parameters.get("dur", "")) for parameters in entries)
    seconds = (float(number[0]) / 1e3 for number in found if number)
    return [value for value in seconds if value < _LONGEST_SECONDS]


def _database(entries: list[dict[str, str]]) -> tuple[float, float]:
    """Seconds and queries."""
    queries = nan
    for parameters in reversed(entries):
        counted = _QUERIES.search(parameters.get("desc", ""))
        if counted:
            entries, queries = [parameters], float(counted[1])
            break
    durations = _durations(entries)
    return sum(durations) if durations else nan, queries
