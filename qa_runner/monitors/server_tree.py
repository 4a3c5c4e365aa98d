"""Which processes are the server: the owner of the listening port and its tree."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

import psutil

__all__ = ["ServerTree", "alive"]

# Programs that hold a container's port on the host; the server itself runs somewhere else.
_FORWARDERS = ("docker-proxy", "com.docker.backend", "rootlessport", "slirp4netns")


def alive(process: psutil.Process) -> bool:
    """Whether this very process (not a later one of the same pid) still runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class ServerTree:
    """The processes behind ``port``.

    ``members`` are the root and everything below it, ``serving`` those of them that own the port
    without a master, which only hands it on. ``reason`` says why there is none.
    """

    def __init__(self, port: int, ignore: Collection[int]) -> None:
        self.port = port
        self.reason = ""
        self.members: list[psutil.Process] = []
        self.serving: list[psutil.Process] = []
        self._ignore = frozenset(ignore)
        self._root: psutil.Process | None = None

    def refresh(self) -> None:
        """Look again: for members that came or went, and for the owner if there is none."""
        if self._root is not None and alive(self._root):
            self._describe(self._root)
            if self.serving:
                return
        # Also here: a master that lives on while another process took the port.
        self._root, self.members, self.serving = None, [], []
        owner = self._find_owner()
        if owner is not None:
            self._root = self._climb(owner)
            self._describe(self._root)
            self.reason = ""

    def _describe(self, root: psutil.Process) -> None:
        try:
            below = root.children(recursive=True)
        except psutil.Error:
            below = []
        self.members = [process for process in (root, *below) if process.pid not in self._ignore]
        owners = [process for process in self.members if self._owns(process)]
        # A pre-fork master holds the port too but serves nothing; alone, it is the server.
        self.serving = [process for process in owners if process != root] or owners

    def _owns(self, process: psutil.Process) -> bool:
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.AccessDenied:
            # It was found as the owner while that was permitted, or by its name: keep it.
            return process == self._root
        except psutil.Error:
            return False
        return any(self._listens(connection) for connection in connections)

    def _listens(self, connection: object) -> bool:
        address = getattr(connection, "laddr", None)
        return (
            getattr(connection, "status", "") == psutil.CONN_LISTEN
            and bool(address)
            and getattr(address, "port", None) == self.port
        )

    def _find_owner(self) -> psutil.Process | None:
        """The process that listens on the port; None, with the reason set, if none is found."""
        listening, named = False, set()
        permitted = True
        try:
            for connection in psutil.net_connections(kind="tcp"):
                if self._listens(connection):
                    listening = True
                    if connection.pid:
                        named.add(connection.pid)
        except psutil.AccessDenied:
            permitted = False
        if not named and (listening or not permitted):
            # System-wide lists need privileges on macOS, one's own processes do not.
            named = {process.pid for process in psutil.process_iter() if self._owns(process)}
        for pid in sorted(named - self._ignore - {0, 1}):
            try:
                owner = psutil.Process(pid)
                name = owner.name()
            except psutil.Error:
                continue
            if name in _FORWARDERS:
                self.reason = (
                    f"port {self.port} is held by {name}: the server runs in a container, "
                    "run qa-runner inside it to measure its processes"
                )
                continue
            return owner
        self.reason = self._explain(listening=listening, permitted=permitted, named=bool(named))
        return None

    def _explain(self, *, listening: bool, permitted: bool, named: bool) -> str:
        if named and self.reason:
            return self.reason
        if listening:
            return (
                f"the process on port {self.port} belongs to another user: "
                "run qa-runner as that user, or with sudo"
            )
        if not permitted:
            return (
                f"no process of this user listens on port {self.port}: run qa-runner as the "
                "server's user, or with sudo"
            )
        return f"no process listens on port {self.port} of this machine"

    def _climb(self, owner: psutil.Process) -> psutil.Process:
        """The top of the server: a master or a reload watcher above the owner of the port."""
        root = owner
        while True:
            try:
                parent = root.parent()
            except psutil.Error:
                return root
            if parent is None or parent.pid <= 1 or parent.pid in self._ignore:
                return root
            if not (_same_command(parent, root) or self._owns(parent)):
                return root
            root = parent


def _same_command(one: psutil.Process, other: psutil.Process) -> bool:
    """Whether two processes run the same program with the same arguments."""
    try:
        first, second = one.cmdline(), other.cmdline()
    except psutil.Error:
        return False
    # A reload watcher was started as "python", its child by the full path of the interpreter.
    return len(first) > 1 and first[1:] == second[1:] and _program(first[0]) == _program(second[0])


def _program(path: str) -> str:
    return PurePath(path).name.rstrip("0123456789.")
