"""Where a step's own absolute URLs lead: to the target, to this machine, or nowhere."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from qa_runner.errors import UsageError
from qa_runner.protection.addresses import all_loopback, same_host

__all__ = ["is_target"]


def is_target(url: str, root: str) -> bool:
    """Whether an absolute URL has the host of the target at ``root``, with its permission.

    Raises UsageError if it leads to another machine: nobody permitted load there.
    """
    host = _host(url)
    if same_host(host, _host(root)):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    if not all_loopback(str(entry[4][0]) for entry in found):
        raise UsageError(
            f"the step sends to {host or 'no host'}, which is neither the target nor this machine; "
            "load goes to the target alone"
        )
    return False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
