"""A target as qa-runner.toml describes it; its server is started if that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath

import msgspec

from qa_runner.configuration.schema import ProjectEntry, ServerEntry, TargetEntry
from qa_runner.errors import UsageError
from qa_runner.monitors.port_owner import is_here
from qa_runner.monitors.process_facts import command_line
from qa_runner.monitors.process_rule import ProcessRule
from qa_runner.monitors.project import DjangoProject
from qa_runner.stop import StopToken
from qa_runner.targets.command import split_command
from qa_runner.targets.commit import commit_of
from qa_runner.targets.server_command import ServerCommand, StartOrder
from qa_runner.targets.target import Target, runs_on
from qa_runner.targets.url import connect, resolve, root_of, split_root

__all__ = ["Permit", "check_entry", "configured_target"]

Permit = Callable[[str, Sequence[str]], object]
"""Takes a host and all its addresses; raises UsageError unless it may be tested."""

_LOG = "server.log"
_INTERPRETERS = (".venv/bin/python", "venv/bin/python")


def check_entry(name: str, entry: TargetEntry) -> None:
    """Check what can be checked of a target before anything is started or stored.

    Raises UsageError, without values that are secrets.
    """
    for key, value in _headers(entry):
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise UsageError(
                f"the header {key} of [targets.{name}] has characters that HTTP can't carry; "
                "correct the variable that it is taken from"
            ) from None
    server = entry.server
    if server is None:
        return
    split_command(name, server.command)
    if server.ready_path in {*entry.paths, *entry.paths.values()}:
        raise UsageError(
            f"ready_path in [targets.{name}.server] is the endpoint under test, whose limits and "
            "figures it would spoil; name another path, or leave it out to wait for the port"
        )


@contextmanager
def configured_target(
    name: str, entry: TargetEntry, folder: Path, stop: StopToken, permit: Permit
) -> Iterator[Target]:
    """The target ``name`` of the configuration, once it accepts connections.

    A server that the run starts writes its output into ``folder`` unless the entry names a log;
    it is ended when this is left. ``permit`` is asked before anything is sent.

    Raises UsageError for an entry that is not usable, TargetError if nobody answers or the server
    does not start, StopRequested if ``stop`` is set meanwhile.
    """
    parts, port = split_root(entry.url)
    url = root_of(parts, port)
    host = parts.hostname or ""
    addresses = resolve(host, port)
    permit(host, addresses)
    log = entry.log
    facts: dict[str, str] = {}
    ended = runs_on
    with ExitStack() as stack:
        if entry.server is not None:
            order = _order(name, entry, entry.server, folder, addresses)
            server = stack.enter_context(ServerCommand(order, stop))
            # It stands in the report: without folders of this machine.
            shown = [PurePath(word).name if word[:1] == "/" else word for word in server.arguments]
            facts["server"] = f"started by the run: {command_line(shown)}"
            log, ended = log or order.log, server.ended
        facts["address"] = address = connect(addresses, host, port)
        if version := _version(entry, address):
            facts["version"] = version
        if parts.scheme == "https" and not entry.verify_tls:
            facts["certificate"] = "not verified"
        yield Target(
            name=name,
            url=url,
            environment=entry.environment,
            host=address,
            port=port,
            log_path=log,
            project=None if entry.project is None else _project(entry.project, entry.server),
            headers=_headers(entry),
            verify_tls=entry.verify_tls,
            process=ProcessRule(**msgspec.structs.asdict(entry.process)),
            facts=facts,
            ended=ended,
        )


def _version(entry: TargetEntry, address: str) -> str:
    """What the configuration says, or the commit of the project; empty if nothing is known.

    A server on another machine has files of its own.
    """
    if entry.version or entry.project is None or not is_here(address):
        return entry.version
    return commit_of(entry.project.folder)


def _order(
    name: str, entry: TargetEntry, server: ServerEntry, folder: Path, addresses: Sequence[str]
) -> StartOrder:
    parts, port = split_root(entry.url)
    elsewhere = next((address for address in addresses if not is_here(address)), "")
    if elsewhere:
        raise UsageError(
            f"[targets.{name}.server] starts a server on this machine, and the target's URL is of "
            f"another ({elsewhere}); leave out one of them"
        )
    ready = root_of(parts, port) + "/" + server.ready_path.lstrip("/")
    return StartOrder(
        name=name,
        command=server.command,
        folder=server.folder or Path.cwd(),
        log=server.log or folder.absolute() / _LOG,
        host=parts.hostname or "",
        addresses=tuple(addresses),
        port=port,
        environment=dict(server.environment),
        ready_url=ready if server.ready_path else "",
        ready_seconds=server.ready_seconds,
        stop_seconds=server.stop_seconds,
        verify_tls=entry.verify_tls,
    )


def _project(project: ProjectEntry, server: ServerEntry | None) -> DjangoProject:
    """The project as the probe opens it: with the variables that the server is started with."""
    own = (project.folder / name for name in _INTERPRETERS)
    interpreter = project.interpreter or next((path for path in own if path.is_file()), None)
    return DjangoProject(
        interpreter=str(interpreter or sys.executable),
        settings_module=project.settings,
        python_path=(str(project.folder),),
        environment={**(server.environment if server else {}), **project.environment},
        models=dict(project.models),
        intent_field=project.intent_field,
    )


def _headers(entry: TargetEntry) -> tuple[tuple[str, str], ...]:
    """The headers of every request; their values are secrets."""
    token = {"Authorization": f"Bearer {entry.bearer_token}"} if entry.bearer_token else {}
    return tuple({**entry.headers, **token}.items())
