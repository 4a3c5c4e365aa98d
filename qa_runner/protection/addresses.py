"""Addresses and names of hosts: what is of this machine, and what is the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

__all__ = ["all_loopback", "elsewhere", "is_address", "is_loopback", "same_host", "shared"]


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine alone. Raises ValueError if it is no address."""
    return _parsed(address).is_loopback


def all_loopback(addresses: Iterable[str]) -> bool:
    """Whether there are addresses and each of them is of this machine alone."""
    listed = list(addresses)
    return bool(listed) and all(map(is_loopback, listed))


def elsewhere(addresses: Iterable[str]) -> list[str]:
    """Those that are not of this machine alone."""
    return [address for address in addresses if not is_loopback(address)]


def shared(addresses: Iterable[str], others: Iterable[str]) -> bool:
    """Whether one of the addresses is among the others, however it is written."""
    return not {*map(_parsed, addresses)}.isdisjoint(map(_parsed, others))


def is_address(host: str) -> bool:
    """Whether a host is an address, and no name."""
    try:
        _parsed(host)
    except ValueError:
        return False
    return True


def same_host(one: str, other: str) -> bool:
    """Whether two names of hosts are the same, as far as letters tell."""
    return _plain(one) == _plain(other)


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").casefold()


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(_plain(address).partition("%")[0])
    # ::ffff:127.0.0.1 is 127.0.0.1, whatever the version of Python thinks of it.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
