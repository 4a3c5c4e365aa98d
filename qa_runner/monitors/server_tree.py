"""Which processes are the server: the one that a rule names, and its tree."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

import psutil

from qa_runner.monitors.port_owner import Found, is_here, listens
from qa_runner.monitors.process_rule import ProcessRule, find_process

__all__ = ["ServerTree", "alive"]


def alive(process: psutil.Process) -> bool:
    """Whether this very process (not a later one of the same pid) still runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class ServerTree:
    """The processes behind ``port`` of ``address``, an IP address; "" stands for this machine's.

    ``members`` are the root and everything below it, ``serving`` those of them that own the port
    without a master, which only hands it on. ``reason`` says why there is none.
    """

    def __init__(
        self,
        port: int,
        ignore: Collection[int],
        *,
        address: str = "",
        rule: ProcessRule | None = None,
    ) -> None:
        self.port = port
        self.reason = ""
        self.members: list[psutil.Process] = []
        self.serving: list[psutil.Process] = []
        self._rule = rule or ProcessRule()
        self._owned = self._rule.port or port
        self._address = address
        self._ignore = frozenset(ignore)
        self._root: psutil.Process | None = None

    def refresh(self) -> None:
        """Look again: for members that came or went, and for the server if there is none."""
        if self._root is not None and alive(self._root) and not self._replaced(self._root):
            self._describe(self._root)
            if self.serving:
                return
        # Also here: a master that lives on while another process took the port.
        self._root, self.members, self.serving = None, [], []
        found = self._find()
        self.reason = found.reason
        if found.process is not None:
            by_port = self._rule.by_port
            self._root = self._climb(found.process) if by_port else found.process
            self._describe(self._root)

    def _find(self) -> Found:
        if self._rule == ProcessRule() and self._address and not is_here(self._address):
            # Whoever has that port on this machine is somebody else.
            return Found(
                reason=f"the server runs on another machine ({self._address}): its processes "
                "can be measured only by a qa-runner that runs there"
            )
        return find_process(self._rule, self.port, self._address, self._ignore)

    def _replaced(self, root: psutil.Process) -> bool:
        """Whether a pid file names another process than it did."""
        if self._rule.pid_file is None:
            return False
        found = self._find().process
        return found is not None and found != root

    def _describe(self, root: psutil.Process) -> None:
        try:
            below = root.children(recursive=True)
        except psutil.Error:
            below = []
        self.members = [process for process in (root, *below) if process.pid not in self._ignore]
        owners = [process for process in self.members if self._owns(process)]
        if not owners and not self._rule.by_port:
            # Behind a proxy, or on a socket file: the workers are those that were forked.
            owners = [process for process in self.members if _same_name(process, root)]
        # A pre-fork master holds the port too but serves nothing; alone, it is the server.
        self.serving = [process for process in owners if process != root] or owners

    def _owns(self, process: psutil.Process) -> bool:
        owns = listens(process, self._owned)
        # It was found as the owner while that was permitted, or by its name: keep it.
        return process == self._root if owns is None else owns

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


def _same_name(one: psutil.Process, other: psutil.Process) -> bool:
    try:
        return one.name() == other.name()
    except psutil.Error:
        return False
