"""Which process listens on a port of this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

import psutil

__all__ = ["Found", "find_owner", "is_here", "listens"]

# Programs that hold a container's port on the host; the server itself runs somewhere else.
_FORWARDERS = ("docker-proxy", "com.docker.backend", "rootlessport", "slirp4netns")
_EXACT, _WILDCARD, _OTHER = range(3)


@dataclass(frozen=True, slots=True)
class Found:
    """A process, or the one line that says why there is none and what to do."""

    process: psutil.Process | None = None
    reason: str = ""


def find_owner(port: int, ignore: Collection[int] = (), address: str = "") -> Found:
    """The process that listens on ``port`` of this machine.

    Of several it is one that listens on ``address``, then one that listens on all addresses.
    """
    listening, permitted = False, True
    named: dict[int, int] = {}
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if _is_listener(connection, port):
                listening = True
                if connection.pid:
                    fit = _fit(connection, address)
                    named[connection.pid] = min(fit, named.get(connection.pid, fit))
    except psutil.AccessDenied:
        permitted = False
    if not named and (listening or not permitted):
        # System-wide lists need privileges on macOS, one's own processes do not.
        named = _own_listeners(port, address)
    forwarder = ""
    for pid in sorted(named.keys() - {*ignore, 0, 1}, key=lambda pid: (named[pid], pid)):
        try:
            owner = psutil.Process(pid)
            name = owner.name()
        except psutil.Error:
            continue
        if name not in _FORWARDERS:
            return Found(owner)
        forwarder = name
    if forwarder:
        return Found(
            reason=f"port {port} is held by {forwarder}: the server runs in a container, "
            "run qa-runner inside it to measure its processes"
        )
    return Found(reason=_explain(port, listening=listening, permitted=permitted))


def listens(process: psutil.Process, port: int | None) -> bool | None:
    """Whether a process listens on a TCP port (None: on any); None if that is not to be known."""
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return False
    return any(_is_listener(connection, port) for connection in connections)


def is_here(address: str) -> bool:
    """Whether an IP address is one of this machine's."""
    wanted = ipaddress.ip_address(address.partition("%")[0])
    if wanted.is_loopback:
        return True
    own = {
        entry.address.partition("%")[0] for card in psutil.net_if_addrs().values() for entry in card
    }
    return str(wanted) in own


def _own_listeners(port: int, address: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        fits = [_fit(each, address) for each in connections if _is_listener(each, port)]
        if fits:
            found[process.pid] = min(fits)
    return found


def _is_listener(connection: object, port: int | None) -> bool:
    address = getattr(connection, "laddr", None)
    return (
        getattr(connection, "status", "") == psutil.CONN_LISTEN
        and bool(address)
        and port in (None, getattr(address, "port", None))
    )


def _fit(connection: object, address: str) -> int:
    """How well a listener fits the address that is connected to; smaller is better."""
    listens_on = getattr(getattr(connection, "laddr", None), "ip", "")
    if listens_on == address:
        return _EXACT
    return _WILDCARD if listens_on in ("0.0.0.0", "::") else _OTHER  # noqa: S104 (no bind)


def _explain(port: int, *, listening: bool, permitted: bool) -> str:
    if listening:
        return (
            f"the process on port {port} belongs to another user: "
            "run qa-runner as that user, or with sudo"
        )
    if not permitted:
        return (
            f"no process of this user listens on port {port}: run qa-runner as the "
            "server's user, or with sudo"
        )
    return f"no process listens on port {port} of this machine"
