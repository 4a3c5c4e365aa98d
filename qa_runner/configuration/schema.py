"""What may stand in qa-runner.toml, as typed values.

Text may name environment variables as ``${NAME}``; by the time a value is one of these, they are
filled in. Paths are absolute by then: in the file they are relative to its folder.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

__all__ = [
    "CaseEntry",
    "Configuration",
    "EnvironmentEntry",
    "ErrorBudget",
    "ProcessEntry",
    "ProjectEntry",
    "ServerEntry",
    "TargetEntry",
]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ProcessEntry(_Entry, frozen=True, kw_only=True):
    """Which process is the server: by default the owner of the URL's port.

    At most one of them: the owner of another ``port``, a ``pid``, the pid in ``pid_file``, or the
    one process of this user whose command line contains ``command``.
    """

    port: int | None = None
    pid: int | None = None
    pid_file: Path | None = None
    command: str | None = None


class ServerEntry(_Entry, frozen=True, kw_only=True):
    """A server that the run starts itself and ends afterwards.

    ``command`` is run without a shell, split as a shell would. It is ready when a GET of
    ``ready_path`` is answered with anything below 500, or without one when the port of the URL
    accepts connections. Its output goes to ``log``, or to server.log in the run folder.
    """

    command: str
    folder: Path | None = None
    environment: dict[str, str] = {}
    ready_path: str = ""
    ready_seconds: float = 30.0
    stop_seconds: float = 10.0
    log: Path | None = None


class ProjectEntry(_Entry, frozen=True, kw_only=True):
    """The target's Django project, opened by its own interpreter.

    ``settings`` is the settings module; ``models`` maps the roles of a test case (transactions,
    users, balances) to ``app.Model`` where they differ from the case's, ``intent_field`` is the
    field of the payment intent id where it does.
    """

    folder: Path
    settings: str
    interpreter: Path | None = None
    environment: dict[str, str] = {}
    models: dict[str, str] = {}
    intent_field: str = ""


class TargetEntry(_Entry, frozen=True, kw_only=True):
    """An API under test.

    ``paths`` replaces paths of a test case's endpoints by those of this deployment. ``headers``
    and ``bearer_token`` are secrets: their values never reach a file. ``log`` is the server's log.
    ``version`` is what the report calls the version; without it, the commit of the project here.
    """

    url: str
    environment: str = "local"
    paths: dict[str, str] = {}
    version: str = ""
    headers: dict[str, str] = {}
    bearer_token: str = ""
    verify_tls: bool = True
    log: Path | None = None
    process: ProcessEntry = ProcessEntry()
    project: ProjectEntry | None = None
    server: ServerEntry | None = None


class ErrorBudget(_Entry, frozen=True, kw_only=True):
    """Load is stopped when more than ``rate`` of at least ``requests`` requests, finished in
    the last ``seconds``, failed.
    """

    rate: float = 0.1
    seconds: float = 10.0
    requests: int = 20


class EnvironmentEntry(_Entry, frozen=True, kw_only=True):
    """How a kind of target is protected.

    ``hosts`` are those that may be tested under it; only ``local`` needs none listed, and is of
    this machine alone. A ``protected`` environment is loaded only if its host is typed again. None
    stands for no limit: virtual users or requests in flight, requests per second, requests of a
    session, which is a run or the rerun of a step.
    """

    hosts: tuple[str, ...] = ()
    protected: bool = False
    max_users: int | None = None
    max_rate: float | None = None
    max_requests: int | None = None
    error_budget: ErrorBudget | None = None


class CaseEntry(_Entry, frozen=True, kw_only=True):
    """``parameters`` are as for ``--set``: "case.plan_id" = 2, "3.1.limit.duration" = "10s"."""

    parameters: dict[str, int | float | str] = {}


class Configuration(_Entry, frozen=True, kw_only=True):
    """The whole file; an empty one where there is none."""

    default_target: str = "demo"
    output: Path | None = None
    targets: dict[str, TargetEntry] = {}
    environments: dict[str, EnvironmentEntry] = {}
    cases: dict[str, CaseEntry] = {}
