"""The PostgreSQL server that the embedded target is to use, by its URL."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from qa_runner.configuration.secret_values import url_secrets
from qa_runner.errors import UsageError
from qa_runner.redaction import know_secrets

__all__ = ["DatabaseUrl", "database_environment", "parse_database_url"]

_SCHEMES = ("postgresql", "postgres")
_EXAMPLE = "expected something like postgresql://user:password@127.0.0.1:5432/postgres"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A server, and the name of the database of its own that the target makes there.

    ``text`` may hold a password: it goes into the environment of the target's processes alone.
    """

    text: str = field(repr=False)
    name: str


def database_environment(database: DatabaseUrl | None) -> dict[str, str]:
    """What tells the processes of the embedded target; None stands for SQLite."""
    # Empty, rather than left to what is set in the user's shell.
    return {
        "QA_RUNNER_DEMO_DATABASE_URL": "" if database is None else database.text,
        "QA_RUNNER_DEMO_DATABASE_NAME": "" if database is None else database.name,
    }


def parse_database_url(text: str) -> DatabaseUrl:
    """Check ``--database-url``; nobody is asked yet.

    Raises UsageError, without repeating what may be a password, if it is no URL of PostgreSQL's
    or if the driver is not installed.
    """
    know_secrets(url_secrets(text))
    # Not quoted in messages: a password with a / in it turns up in any part.
    if any(not character.isprintable() or character.isspace() for character in text):
        raise UsageError(f"--database-url contains spaces or control characters; {_EXAMPLE}")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 (reading it checks it)
    except ValueError:
        raise UsageError(
            f"--database-url is not a valid URL; {_EXAMPLE}, "
            "with %2F for a / and %23 for a # in the password"
        ) from None
    if parts.scheme not in _SCHEMES:
        raise UsageError(f"--database-url must begin with postgresql://; {_EXAMPLE}")
    if parts.fragment:
        raise UsageError(f"--database-url must not contain #; {_EXAMPLE}")
    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        raise UsageError(
            "--database-url needs PostgreSQL's driver: pip install 'qa-runner[postgresql]'"
        )
    return DatabaseUrl(text=text, name=f"qa_runner_{secrets.token_hex(6)}")
