"""Which process is the server: by its port, or by what the user says of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from qa_runner.monitors.port_owner import Found, find_owner

__all__ = ["ProcessRule", "find_process"]

_AS_THAT_USER = "run qa-runner as the server's user, or with sudo"
# A pid and a newline; whatever is larger is no pid file.
_PID_FILE_BYTES = 64


@dataclass(frozen=True, slots=True)
class ProcessRule:
    """At most one of: the owner of ``port``, a ``pid``, the pid in ``pid_file``, or the process
    of this user whose command line contains ``command``.

    Without any it is the owner of the port that requests are sent to.
    """

    port: int | None = None
    pid: int | None = None
    pid_file: Path | None = None
    command: str | None = None

    @property
    def by_port(self) -> bool:
        """Whether the server is the owner of a port."""
        return self.pid is None and self.pid_file is None and self.command is None


def find_process(rule: ProcessRule, port: int, address: str, ignore: Collection[int]) -> Found:
    """The process that the rule names; ``port`` and ``address`` are where requests are sent to.

    Nothing is raised: a process that is not there, or may not be looked at, has its reason.
    """
    if rule.pid is not None:
        return _by_pid(rule.pid, f"process {rule.pid}, named as the server's,")
    if rule.pid_file is not None:
        return _by_pid_file(rule.pid_file)
    if rule.command is not None:
        return _by_command(rule.command, ignore)
    if rule.port is not None and rule.port != port:
        return find_owner(rule.port, ignore)
    return find_owner(port, ignore, address)


def _by_pid(pid: int, what: str) -> Found:
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return Found(reason=f"{what} belongs to another user: {_AS_THAT_USER}")
    except (psutil.Error, ValueError, OverflowError):
        return Found(reason=f"{what} does not run; correct the process rule of the target")
    if ended:
        return Found(reason=f"{what} has ended")
    return Found(process)


def _by_pid_file(path: Path) -> Found:
    try:
        # A pipe would be waited for.
        if not stat.S_ISREG(path.stat().st_mode):
            return Found(reason=f"the pid file {path} is not a file")
        with path.open("rb") as file:
            text = file.read(_PID_FILE_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return Found(reason=f"the pid file {path} does not exist: is the server running?")
    except OSError as error:
        return Found(reason=f"cannot read the pid file {path}: {error.strerror or error}")
    if not (text.isascii() and text.isdigit()):
        return Found(reason=f"the pid file {path} does not contain a process id")
    return _by_pid(int(text), f"process {text}, named by {path},")


def _by_command(command: str, ignore: Collection[int]) -> Found:
    own = {*ignore, *_ancestors()}
    matching = {
        process.pid: process
        for process in psutil.process_iter()
        if process.pid not in own and command in _command_of(process)
    }
    # Workers and the child of a reload watcher match as their master does: the top is the server.
    tops = [process for process in matching.values() if _parent_of(process) not in matching]
    if len(tops) == 1:
        return Found(tops[0])
    if not tops:
        return Found(
            reason=f"no process of this user has '{command}' in its command line; "
            f"correct the process rule of the target, or {_AS_THAT_USER}"
        )
    listed = ", ".join(str(process.pid) for process in sorted(tops, key=lambda one: one.pid))
    return Found(
        reason=f"several processes have '{command}' in their command lines ({listed}); "
        "name more of it, or give the pid or its file"
    )


def _command_of(process: psutil.Process) -> str:
    """The command line of a process of this user that still runs; else nothing."""
    try:
        if process.uids().effective != os.geteuid() or process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _parent_of(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def _ancestors() -> set[int]:
    """This process and those above it: a shell may have the words in its command line too."""
    own = psutil.Process()
    try:
        return {own.pid, *(parent.pid for parent in own.parents())}
    except psutil.Error:
        return {own.pid}
