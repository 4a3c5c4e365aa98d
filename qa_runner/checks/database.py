"""Does the database probe work, and how large is what it sees?"""

from __future__ import annotations

import re
from pathlib import PurePath

from qa_runner.checks.check import Check, Finding, note, ok, unmeasured
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.checks.coverage import needing
from qa_runner.errors import ProbeError
from qa_runner.monitors.database import PROBE_START_SECONDS
from qa_runner.monitors.database_result import DatabaseInfo

__all__ = ["DATABASE_PROBE", "DATASET", "PROBE_SECONDS", "described"]

PROBE_SECONDS = 5.0
"""How long a project may take to be opened where it is checked alone: all is done within ten."""

_MANY_ROWS = 1_000_000
_TRY = "try manage.py check with interpreter, settings and environment of [targets.{name}.project]"
_REMEDIES = (
    (
        r"has no field \S+ for the payment intent",
        "name the right one as intent_field in [targets.{name}.project] of qa-runner.toml",
    ),
    (
        (
            r"^(?:there is no model |the primary key of )?\S+ "
            r"\((?P<role>transactions|users|balances)\)"
        ),
        (
            'name the right one as {role} = "app.Model" in [targets.{name}.project.models] of '
            "qa-runner.toml"
        ),
    ),
    (
        r"no model is given",
        "name it in [targets.{name}.project.models] of qa-runner.toml",
    ),
    (
        r"interpreter .* cannot be run|Django cannot be imported",
        "correct interpreter in [targets.{name}.project] of qa-runner.toml",
    ),
    (
        r"settings \S+ cannot be imported",
        "correct settings, folder or environment in [targets.{name}.project] of qa-runner.toml",
    ),
    (r"exits when it is imported|apps of \S+ cannot be loaded", f"{_TRY}, and correct them"),
    (
        rf"within {PROBE_SECONDS:g} s while it opened",
        f"{_TRY}; a run waits for {PROBE_START_SECONDS:g} s, in case that the project is just slow",
    ),
)
"""What to do about a reason that does not say so itself; the first that fits holds."""


def described(info: DatabaseInfo) -> str:
    """A database in a few words, without a path of this machine: "postgresql shop"."""
    return f"{info.vendor} {PurePath(info.name).name}"


def _probe(checked: CheckedTarget) -> Finding:
    database = checked.session.database
    reason = checked.session.database_reason
    if database is not None:
        try:
            info = database.info()
        except ProbeError as error:
            reason = str(error)
        else:
            models = ", ".join(info.models.values())
            return ok(
                f"{described(info)} {info.server_version}, through Django {info.django} on "
                f"Python {info.python}; models {models}"
            )
    return unmeasured(reason, _remedy(reason, checked), needing(checked.case, "database"))


def _remedy(reason: str, checked: CheckedTarget) -> str:
    for pattern, remedy in _REMEDIES:
        found = re.search(pattern, reason)
        if found:
            return remedy.format(name=checked.configured_name, **found.groupdict())
    return ""


def _dataset(checked: CheckedTarget) -> Finding | None:
    database = checked.session.database
    if database is None:
        return None
    try:
        info = database.info()
    except ProbeError:
        return None  # said above
    counts = info.counts
    about = {role: "about " if role in info.estimated else "" for role in counts}
    listed = ", ".join(f"{about[role]}{count:,} {role}" for role, count in counts.items())
    if max(counts.values(), default=0) > _MANY_ROWS:
        return note(
            f"{listed}: the checks of whole tables at the end of the run take their time, and what "
            "takes too long for the database is left out"
        )
    if not counts.get("transactions"):
        return note(
            f"{listed}: an empty table answers faster than that of production",
            "fill the database to the size that matters, if response times are to mean something",
        )
    return ok(listed)


DATABASE_PROBE = Check("database-probe", "Database probe", _probe)
DATASET = Check("dataset", "Dataset", _dataset)
