"""The hosts of protected environments: they stay protected, whatever a target calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from qa_runner.configuration.schema import EnvironmentEntry
from qa_runner.protection.addresses import all_loopback, elsewhere, is_address, same_host, shared
from qa_runner.protection.environments import is_protected

__all__ = ["LookUp", "ProtectedHost", "protected_as", "protected_hosts"]

LookUp = Callable[[str], Sequence[str]]
"""From a host name to all its addresses; none if it does not resolve."""

_LOOPBACK_NAME = "localhost"


@dataclass(frozen=True, slots=True)
class ProtectedHost:
    """One that the environment of this name lists, which ``entry`` configures."""

    host: str
    environment: str
    entry: EnvironmentEntry


def protected_hosts(environments: Mapping[str, EnvironmentEntry]) -> tuple[ProtectedHost, ...]:
    """All that protected environments list."""
    return tuple(
        ProtectedHost(host, name, entry)
        for name, entry in environments.items()
        if is_protected(name, entry)
        for host in entry.hosts
    )


def protected_as(
    host: str, addresses: Sequence[str], listed: Iterable[ProtectedHost], look_up: LookUp
) -> ProtectedHost | None:
    """Which of the listed hosts ``host`` is, by its name or by one of its ``addresses``."""
    listed = list(listed)
    for each in listed:
        if same_host(host, each.host):
            return each
    for each in listed:
        if shared(addresses, _addresses(each.host, addresses, look_up)):
            return each
    return None


def _addresses(listed: str, asked: Sequence[str], look_up: LookUp) -> Sequence[str]:
    """Those of a listed host that may tell it under another name.

    A name that leads to this machine, say in its hosts file, protects nothing else that runs here,
    unless it is the name of this machine.
    """
    if is_address(listed):
        return [listed]
    if same_host(listed, _LOOPBACK_NAME):
        return look_up(listed)
    # What is of this machine alone need not be looked up to be told from others.
    return [] if all_loopback(asked) else elsewhere(look_up(listed))
