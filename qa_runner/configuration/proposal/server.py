"""A server of the project that runs already: its address, settings, interpreter and log."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from qa_runner.configuration.proposal.interpreter import python_of

__all__ = ["RunningServer", "running_servers"]

_ANY = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104 (read, not bound)
_SETTINGS = "DJANGO_SETTINGS_MODULE"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A process that listens; text is empty and paths are None where nothing is known.

    ``environment`` may hold secrets.
    """

    pid: int
    url: str
    settings: str
    interpreter: Path | None
    log: Path | None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def running_servers(project: Path) -> list[RunningServer]:
    """The processes of this user that belong to ``project`` and listen, one for each port.

    A process belongs to it if its working folder is in it, or if its command line names a file in
    it. Sockets of a process of one's own can be read without privileges, on macOS too. Python
    processes come first, then those with the lower pid: a master stands for its workers.
    """
    # The system tells working folders without links.
    places = {project, project.resolve()}
    found: dict[int, tuple[str, list[psutil.Process]]] = {}
    for process in sorted(_own_processes(), key=_rank):
        with contextlib.suppress(psutil.Error, OSError):
            if not _belongs(process, places):
                continue
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    _, owners = found.setdefault(connection.laddr.port, (connection.laddr.ip, []))
                    owners.append(process)
    return [_described(owners, address, port) for port, (address, owners) in found.items()]


def _own_processes() -> Iterator[psutil.Process]:
    user = os.getuid()
    ours = {os.getpid(), os.getppid()}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in ours and process.uids().real == user:
                yield process


def _rank(process: psutil.Process) -> tuple[bool, int]:
    with contextlib.suppress(psutil.Error):
        return "python" not in process.name().casefold(), process.pid
    return True, process.pid


def _belongs(process: psutil.Process, places: set[Path]) -> bool:
    cwd = Path(process.cwd())
    named = [cwd, *(cwd / word for word in process.cmdline()[:20] if "/" in word)]
    return any(path.is_relative_to(place) for path in named for place in places)


def _described(owners: list[psutil.Process], address: str, port: int) -> RunningServer:
    process = owners[0]
    host = _ANY.get(address, address)
    command: list[str] = []
    environment: dict[str, str] = {}
    with contextlib.suppress(psutil.Error, OSError):
        command = process.cmdline()
    with contextlib.suppress(psutil.Error, OSError):
        environment = process.environ()
    return RunningServer(
        pid=process.pid,
        url=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
        settings=_option(command, "--settings") or environment.get(_SETTINGS, ""),
        interpreter=_interpreter(process, command, environment),
        # Workers may have the log open where their master has not.
        log=next(filter(None, map(_log, owners)), None),
        environment=environment,
    )


def _option(command: list[str], name: str) -> str:
    for at, word in enumerate(command):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name:
            return "".join(command[at + 1 : at + 2])
    return ""


def _interpreter(
    process: psutil.Process, command: list[str], environment: dict[str, str]
) -> Path | None:
    """The interpreter as it was called: the process itself only knows where its link leads."""
    with contextlib.suppress(psutil.Error, OSError):
        if command and "/" in command[0] and Path(command[0]).name.startswith("python"):
            called = Path(os.path.normpath(Path(process.cwd()) / command[0]))
            if os.access(called, os.X_OK):
                return called
    active = environment.get("VIRTUAL_ENV")
    return python_of(Path(active)) if active else None


def _log(process: psutil.Process) -> Path | None:
    """The one open file that is called a log."""
    with contextlib.suppress(psutil.Error, OSError):
        logs = {Path(opened.path) for opened in process.open_files()}
        named = [path for path in logs if path.suffix == ".log"]
        return named[0] if len(named) == 1 else None
    return None
