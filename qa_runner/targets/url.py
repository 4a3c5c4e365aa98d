"""A target that runs already, by its URL."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from qa_runner.errors import TargetError, UsageError
from qa_runner.targets.target import Target

__all__ = ["url_target"]

_CONNECT_SECONDS = 5.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


def url_target(url: str) -> Target:
    """The target at ``url``, once something there accepts connections; nothing is sent.

    Raises UsageError if the URL is not usable or not of this machine, TargetError if its name
    does not resolve or nobody listens.
    """
    parts, port = _parse(url)
    host = parts.hostname or ""
    addresses = _resolve(host, port)
    for address in addresses:
        if not ipaddress.ip_address(address.split("%")[0]).is_loopback:
            raise UsageError(
                f"{host} ({address}) is not this machine; "
                "only loopback targets are supported in this version"
            )
    address = _connect(addresses, host, port)
    return Target(
        name=url,
        url=f"{parts.scheme}://{_bracket(host)}:{port}{parts.path.rstrip('/')}",
        environment="local",
        host=address,
        port=port,
        facts={"address": address},
    )


def _parse(url: str) -> tuple[SplitResult, int]:
    example = "expected something like http://127.0.0.1:8000"
    if any(not character.isprintable() or character.isspace() for character in url):
        raise UsageError(f"the target URL {url!r} contains spaces or control characters; {example}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the target URL '{url}' is not valid: {error}; {example}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise UsageError(f"the target URL '{url}' must begin with http:// or https://; {example}")
    if not parts.hostname:
        raise UsageError(f"the target URL '{url}' names no host; {example}")
    if parts.username is not None or parts.password is not None:
        # Not repeated here: it holds a password.
        raise UsageError(f"a target URL must not contain user or password; {example}")
    if parts.query or parts.fragment:
        raise UsageError(f"the target URL '{url}' must not contain ? or #; {example}")
    if port == 0:
        raise UsageError(f"the target URL '{url}' names port 0; {example}")
    return parts, _DEFAULT_PORTS[parts.scheme] if port is None else port


def _resolve(host: str, port: int) -> list[str]:
    """The addresses of the host, each once, in the resolver's order."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a valid host name"
        raise TargetError(f"cannot resolve {host}: {reason}; check the target URL") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _connect(addresses: list[str], host: str, port: int) -> str:
    """The first address that accepts a connection."""
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
