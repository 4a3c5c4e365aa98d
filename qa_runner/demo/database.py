"""Which database the API uses: an SQLite file, or a database of its own on a PostgreSQL server.

It comes from the environment, which no other user of the machine sees, unlike a command line:

``QA_RUNNER_DEMO_DATABASE``       path of the SQLite file
``QA_RUNNER_DEMO_DATABASE_URL``   postgresql://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE
``QA_RUNNER_DEMO_DATABASE_NAME``  the database of its own on that server

The standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["FILE", "NAME", "URL", "django_settings", "own_name", "server_parameters"]

FILE = "QA_RUNNER_DEMO_DATABASE"
URL = "QA_RUNNER_DEMO_DATABASE_URL"
NAME = "QA_RUNNER_DEMO_DATABASE_NAME"

_MAINTENANCE = "postgres"
_CONNECT_SECONDS = "10"
# Connections of the server process, all of them open from the start, so that none more is a leak;
# requests that find none wait for one.
_CONNECTIONS = 15
_WAIT_SECONDS = 20


def own_name(environment: Mapping[str, str]) -> str:
    """The name of the database of its own; empty where it is an SQLite file."""
    return environment.get(NAME, "") if environment.get(URL) else ""


def server_parameters(environment: Mapping[str, str]) -> dict[str, str]:
    """What libpq needs for the database that the URL names, by its keywords.

    What the URL leaves out, libpq takes from PGPASSWORD, ~/.pgpass and the like.
    """
    parts = urlsplit(environment[URL])
    given = {
        "host": unquote(parts.hostname or ""),
        "port": str(parts.port or ""),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.removeprefix("/")) or _MAINTENANCE,
    }
    return {
        "connect_timeout": _CONNECT_SECONDS,
        **{name: value for name, value in given.items() if value},
        **dict(parse_qsl(parts.query.replace("+", "%2B"))),  # libpq takes a + as what it is
    }


def django_settings(environment: Mapping[str, str], *, deferred: bool) -> dict[str, Any]:
    """The entry of ``DATABASES``; ``deferred`` leaves SQLite's transactions as they are."""
    if own_name(environment):
        parameters = server_parameters(environment)
        del parameters["dbname"]
        named = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": own_name(environment),
            **{setting: parameters.pop(keyword, "") for setting, keyword in named.items()},
            "OPTIONS": {
                **parameters,
                "application_name": "purchase API",
                "pool": {
                    "min_size": _CONNECTIONS,
                    "max_size": _CONNECTIONS,
                    "timeout": _WAIT_SECONDS,
                },
            },
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": environment.get(FILE, "database.sqlite3"),
        "OPTIONS": {
            # Take the write lock at the start of a transaction, where waiting for it helps: a
            # transaction that has read before it writes can't wait, it fails at once.
            "transaction_mode": "DEFERRED" if deferred else "IMMEDIATE",
            "timeout": 20,  # seconds
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        },
    }
