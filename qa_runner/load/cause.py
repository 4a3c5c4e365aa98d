"""Errors of sockets, names and TLS in a few words that a report can group by."""

from __future__ import annotations

import errno
import os
import socket
import ssl

from qa_runner.load.plan import Outcome

__all__ = ["cause_of"]

_BY_NUMBER = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection reset",
    errno.EPIPE: "connection reset",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.EADDRNOTAVAIL: "no local port free",
    errno.EMFILE: "too many open files in the load generator",
    errno.ENFILE: "too many open files on this machine",
}


def cause_of(error: OSError) -> tuple[Outcome, str]:
    """The outcome and the short cause of a request that failed with ``error``."""
    if isinstance(error, socket.gaierror):
        return Outcome.CONNECTION_ERROR, "name not resolved"
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome.CONNECTION_ERROR, f"certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "handshake failed").replace("_", " ").lower()
        return Outcome.CONNECTION_ERROR, f"TLS failed: {reason}"
    if error.errno == errno.ETIMEDOUT:
        return Outcome.TIMEOUT, "connect timeout"
    return Outcome.CONNECTION_ERROR, _cause(error)


def _cause(error: OSError) -> str:
    number = error.errno
    # Event loops raise these without a number: the first if the server closes in a handshake.
    if number is None and isinstance(error, ConnectionResetError):
        return "closed in the TLS handshake"
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        number = errno.ECONNRESET
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    text = os.strerror(number) if number else str(error)
    return (text or type(error).__name__).lower()
