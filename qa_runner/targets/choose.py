"""Which target a run has, and opening it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qa_runner.configuration.schema import TargetEntry
from qa_runner.errors import UnknownName, UsageError
from qa_runner.stop import StopToken
from qa_runner.targets.configured import Permit, check_entry, configured_target
from qa_runner.targets.database_url import DatabaseUrl, parse_database_url
from qa_runner.targets.embedded import EmbeddedTarget
from qa_runner.targets.faults import validate_faults
from qa_runner.targets.target import Target
from qa_runner.targets.url import only_this_machine, url_target

__all__ = [
    "DEMO",
    "check_database",
    "check_same_database",
    "check_target",
    "open_target",
    "starts_server",
]

DEMO = "demo"


def check_target(option: str, faults: Sequence[str], entry: TargetEntry | None = None) -> None:
    """Check ``--target`` and ``--fault`` before anything is started.

    ``entry`` is that of a configured target. Raises UsageError (UnknownName for a target or a
    fault that there is not).
    """
    validate_faults(faults)
    if entry is not None:
        check_entry(option, entry)
        return
    if option == DEMO:
        return
    if "://" not in option and ":" in option:
        raise UsageError(f"unknown target '{option}'; a URL begins with http://: http://{option}")
    if "://" not in option:
        raise UnknownName("target", option, (DEMO, "a URL such as http://127.0.0.1:8000"))
    if faults:
        raise UsageError(
            f"--fault works with the embedded target only, not with {option}; "
            "leave out --fault, or use --target demo"
        )


def check_database(option: str, url: str) -> DatabaseUrl | None:
    """Check ``--database-url`` for the target; None where it was not given.

    Raises UsageError for a URL that is not usable, and for any target but the embedded one.
    """
    if not url:
        return None
    if option != DEMO:
        raise UsageError(
            "--database-url works with the embedded target only: other targets choose their "
            "database themselves; leave it out, or use --target demo"
        )
    return parse_database_url(url)


def check_same_database(settings: Mapping[str, Any], database: DatabaseUrl | None) -> None:
    """Raise UsageError if a run, by its ``settings``, had its rows in another kind of database."""
    had = bool(settings.get("own_database"))
    if had and database is None:
        raise UsageError(
            "this run had its rows in a database of its own on a PostgreSQL server, dropped at its "
            "end: give --database-url again, and the step is measured in a new one"
        )
    if database is not None and not had:
        raise UsageError(
            "this run had its rows in an SQLite file: leave --database-url out, or start a new run"
        )


def starts_server(name: str, entry: TargetEntry | None) -> bool:
    """Whether opening a target starts a server, which needs a folder."""
    return name == DEMO if entry is None else entry.server is not None


@contextmanager
def open_target(
    name: str,
    url: str,
    faults: Sequence[str],
    folder: Path,
    *,
    entry: TargetEntry | None = None,
    stop: StopToken | None = None,
    permit: Permit = only_this_machine,
    database: DatabaseUrl | None = None,
) -> Iterator[Target]:
    """The target of a run; what is started for it is started in ``folder``, and ended at exit.

    ``entry`` is that of a configured target, and ``permit`` decides whether its host may be
    tested. The embedded one stores its rows in a SQLite file, or in ``database``.

    Raises UsageError for a URL or an entry that is not usable, TargetError if nobody answers there
    or what is to be started does not start, StopRequested if ``stop`` is set while a server is
    awaited.
    """
    if entry is not None:
        with configured_target(name, entry, folder, stop or StopToken(), permit) as target:
            yield target
    elif name == DEMO:
        with EmbeddedTarget(folder, faults=faults, database=database) as target:
            yield target
    else:
        yield url_target(url)
