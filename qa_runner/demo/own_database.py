"""Creates and drops the database of its own, each in a short process that loads the driver.

The supervisor does so, which outlives everybody else, so that the database goes even if the run
is killed. Only what was created here is ever dropped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from qa_runner.demo.database import own_name, server_parameters

__all__ = ["OwnDatabase", "perform"]

_SECONDS = 30.0
_NO_PERMISSION = "42501"
_DROP_BY_FORCE = 130_000  # the version of PostgreSQL that learnt it


class OwnDatabase:
    """The database as the supervisor sees it; none where SQLite is used."""

    def __init__(self) -> None:
        self._name = own_name(os.environ)
        self._created = False

    def create(self) -> str:
        """Create it; what went wrong, in one line, or nothing."""
        if not self._name:
            return ""
        error = _run("create")
        self._created = not error
        return error

    def drop(self) -> str:
        """Drop what was created; what went wrong, in one line, or nothing."""
        if not self._created:
            return ""
        self._created = False
        error = _run("drop")
        return error and f"the database {self._name} could not be dropped: {error}"


def perform(action: str) -> int:
    """Create or drop the database, in this process; tells on stdout how that went."""
    import psycopg  # noqa: PLC0415 (an extra)

    name = own_name(os.environ)
    error = ""
    try:
        parameters: dict[str, Any] = dict(server_parameters(os.environ))
        with psycopg.connect(**parameters, autocommit=True) as connection:
            _perform(connection, action, name)
    except psycopg.Error as failure:
        error = _explain(failure)
    sys.stdout.write(json.dumps({"error": error}) + "\n")
    return 1 if error else 0


def _perform(connection: Any, action: str, name: str) -> None:
    from psycopg import sql  # noqa: PLC0415 (an extra)

    quoted = sql.Identifier(name)
    if action == "create":
        # What the server's default encoding and order are must not matter.
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            ).format(quoted)
        )
        return
    by_force = connection.info.server_version >= _DROP_BY_FORCE
    if not by_force:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
    force = sql.SQL(" WITH (FORCE)" if by_force else "")
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(quoted) + force)


def _explain(error: Any) -> str:
    text = " ".join(str(error).split())
    if error.sqlstate == _NO_PERMISSION:
        return f"{text}; the run needs a database of its own: ALTER ROLE ... CREATEDB"
    if error.sqlstate is None:
        return f"{text}; check host, port, user, password and database of --database-url"
    return text


def _run(action: str) -> str:
    command = [sys.executable, "-P", "-m", "qa_runner.demo", "database", action]
    try:
        done = subprocess.run(  # noqa: S603 (our own command)
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            # Ctrl-C is for the supervisor, which has to come to an end in its own order.
            start_new_session=True,
        )
        return str(json.loads(done.stdout)["error"])
    except subprocess.TimeoutExpired:
        return f"the database server did not answer within {_SECONDS:.0f} s"
    except (ValueError, KeyError):
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return last or f"the process ended with exit code {done.returncode}"
