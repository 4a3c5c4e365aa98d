"""Takes secrets and other people's e-mail addresses out of text that ends up in a report."""

from __future__ import annotations

import re

__all__ = ["is_secret_name", "redact"]

_HIDDEN = "[redacted]"
# Repetitions are bounded and begin at an edge: a server decides what stands in these texts.
_NAME = (
    r"(?<![\w.-])[\w.-]{0,40}(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credential|session[_-]?id|csrf|signature|dsn)[\w-]{0,40}"
)
# Header lines: everything up to the end of the line, or of the quoted string, is secret.
_HEADER = re.compile(
    r"(?i)\b(authorization|(?:set-)?cookie|x-api-key)(['\"]?\s*[:=]\s*)([^'\"\r\n]+)"
)
_ASSIGNED = re.compile(rf"(?i)({_NAME}['\"]?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&'\"}}\])]+)")
_URL_PASSWORD = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^\s/@'\"]+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_KEYS = re.compile(
    r"\b(?:(?:sk|pk|rk|whsec)_(?:live|test)?_?\w{8,}|AKIA[A-Z0-9]{12,}|gh[pousr]_\w{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|pi_\w+_secret_\w+)"
)
_SECRET_NAME = re.compile(rf"(?i){_NAME}\Z")
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,256}@[\w-]+(?:\.[\w-]+)+")


def redact(text: str, *, keep: str = "") -> str:
    """``text`` without passwords, tokens, cookies and keys, and without e-mail addresses.

    An address that contains ``keep``, the tag of the run, is ours and stays.
    """
    text = _URL_PASSWORD.sub(rf"\1{_HIDDEN}@", text)
    text = _HEADER.sub(rf"\1\2{_HIDDEN}", text)
    text = _BEARER.sub(rf"\1 {_HIDDEN}", text)
    text = _KEYS.sub(_HIDDEN, text)
    text = _ASSIGNED.sub(rf"\1{_HIDDEN}", text)
    return _EMAIL.sub(lambda match: match[0] if keep and keep in match[0] else "[e-mail]", text)


def is_secret_name(name: str) -> bool:
    """Whether an option or a variable of this name holds a secret."""
    return _SECRET_NAME.match(name) is not None
