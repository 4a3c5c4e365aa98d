"""A target that runs already, by its URL."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from qa_runner.errors import TargetError, UsageError
from qa_runner.redaction import redact
from qa_runner.targets.target import Target

__all__ = [
    "connect",
    "is_taken",
    "only_this_machine",
    "parse_url",
    "reach",
    "resolve",
    "root_of",
    "split_root",
    "url_target",
]

_CONNECT_SECONDS = 5.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "expected something like http://127.0.0.1:8000"


def url_target(url: str) -> Target:
    """The target at ``url``, once something there accepts connections; nothing is sent.

    Raises UsageError if the URL is not usable or not of this machine, TargetError if its name
    does not resolve or nobody listens.
    """
    parts, port = split_root(url)
    address = reach(parts.hostname or "", port)
    return Target(
        name=url,
        url=root_of(parts, port),
        environment="local",
        host=address,
        port=port,
        facts={"address": address},
    )


def split_root(url: str) -> tuple[SplitResult, int]:
    """As :func:`parse_url`, of an address to which paths are appended."""
    parts, port = parse_url(url)
    if parts.query or parts.fragment:
        raise UsageError(f"the target URL '{redact(url)}' must not contain ? or #; {_EXAMPLE}")
    return parts, port


def root_of(parts: SplitResult, port: int) -> str:
    """The address to which paths are appended, with its port and without a slash at its end."""
    host = _bracket(parts.hostname or "")
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def parse_url(url: str) -> tuple[SplitResult, int]:
    """The parts of an http or https URL, and its port. Raises UsageError if it is not usable."""
    shown = redact(url)
    if any(not character.isprintable() or character.isspace() for character in url):
        raise UsageError(
            f"the target URL {shown!r} contains spaces or control characters; {_EXAMPLE}"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the target URL '{shown}' is not valid: {error}; {_EXAMPLE}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise UsageError(
            f"the target URL '{shown}' must begin with http:// or https://; {_EXAMPLE}"
        )
    if not parts.hostname:
        raise UsageError(f"the target URL '{shown}' names no host; {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        # Not repeated here: it holds a password.
        raise UsageError(f"a target URL must not contain user or password; {_EXAMPLE}")
    if port == 0:
        raise UsageError(f"the target URL '{shown}' names port 0; {_EXAMPLE}")
    return parts, _DEFAULT_PORTS[parts.scheme] if port is None else port


def reach(host: str, port: int) -> str:
    """The first address of a host of this machine that accepts a connection.

    Raises UsageError if one of its addresses is not of this machine, TargetError if its name
    does not resolve or nobody listens.
    """
    addresses = resolve(host, port)
    only_this_machine(host, addresses)
    return connect(addresses, host, port)


def only_this_machine(host: str, addresses: Sequence[str]) -> None:
    """Raise UsageError if one of the addresses of ``host`` is not a loopback address."""
    for address in addresses:
        if not ipaddress.ip_address(address.split("%")[0]).is_loopback:
            raise UsageError(
                f"{host} ({address}) is not this machine; "
                "name it as a target with an environment in qa-runner.toml"
            )


def is_taken(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def resolve(host: str, port: int) -> list[str]:
    """The addresses of the host, each once, in the resolver's order.

    Raises TargetError if its name does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a valid host name"
        raise TargetError(f"cannot resolve {host}: {reason}; check the target URL") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connect(addresses: Sequence[str], host: str, port: int) -> str:
    """The first of the addresses of ``host`` that accepts a connection.

    Raises TargetError if none does.
    """
    where = f"{_bracket(host)}:{port}"
    failure = TargetError(f"cannot connect to {where}")
    for address in addresses:
        try:
            with socket.create_connection((address, port), timeout=_CONNECT_SECONDS):
                return address
        except TimeoutError:
            failure = TargetError(f"no answer from {where} within {_CONNECT_SECONDS:g} s")
        except ConnectionRefusedError:
            failure = TargetError(f"{where} refused the connection: is the server running?")
        except OSError as error:
            failure = TargetError(f"cannot connect to {where}: {error.strerror or error}")
    raise failure


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
