"""Takes secrets and other people's e-mail addresses out of text before anything is stored."""

from __future__ import annotations

import re

__all__ = ["is_secret_name", "redact"]

_MASK = "[redacted]"
_SENSITIVE = (
    r"[\w.-]{0,40}"
    r"(?:password|passwd|pwd|secret|token|key|authorization|cookie|session[_-]?id|csrf"
    r"|credential|signature|dsn)"
    r"[\w.-]{0,40}"
)
# Nothing here may take long on a long run of word characters: repetitions are bounded and begin
# at an edge, since a server decides what stands in the text.
# Each with what is put in its place. Order matters: the wider forms come first.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Set-Cookie: a=b; Path=/  up to the end of the line
    (re.compile(r"\b((?:set-)?cookie\s*:\s*)[^\r\n\"'<]+", re.IGNORECASE), rf"\1{_MASK}"),
    # "client_secret": "x" in JSON, also escaped, cut off at the end, or as Python's repr
    (
        re.compile(
            rf"(\\*[\"']{_SENSITIVE}\\*[\"']\s*:\s*)"
            r"(?:\\*\"(?:[^\"\\]|\\[^\"])*(?:\\*\"|\\?\Z)|'[^']*(?:'|\Z)|[^\s,}\]\"'{\[\\]+)",
            re.IGNORECASE,
        ),
        rf'\1"{_MASK}"',
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {_MASK}"),
    (re.compile(r"\b(token)\s+[\w.~+/=-]{20,}", re.IGNORECASE), rf"\1 {_MASK}"),
    # Authorization: anything else, up to the end of the line
    (
        re.compile(
            r"\b(authorization\s*:\s*+)(?!(?:bearer|basic|token)\s)[^\r\n\"'<]+", re.IGNORECASE
        ),
        rf"\1{_MASK}",
    ),
    # password=x in a form or a query, password: x in a log
    (
        re.compile(
            rf"(?<![\w.-])({_SENSITIVE}(?:=|\s*:\s++))(?!(?:bearer|basic|token)\s)"
            r"(?:\"[^\"]*\"?|'[^']*'?|[^\s&;,\"'<>]+)",
            re.IGNORECASE,
        ),
        rf"\1{_MASK}",
    ),
    # JSON web tokens and the keys of payment providers, wherever they stand
    (re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*){1,2}"), _MASK),
    (re.compile(r"\b(?:[sr]k|pk|whsec)_\w{8,}|\b\w{1,80}_secret_\w+"), _MASK),
    (re.compile(r"\bAKIA[A-Z0-9]{12,}|\bgh[pousr]_\w{20,}"), _MASK),
    # https://user:password@host
    (re.compile(r"(://)[^\s/@\"'<>]+@"), rf"\1{_MASK}@"),
)
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,256}@[\w-]+(?:\.[\w-]+)+")


def redact(text: str, keep: str = "") -> str:
    """``text`` without credentials and without e-mail addresses.

    An address that contains ``keep``, such as the tag of the run, is the test's own and stays.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _EMAIL.sub(lambda match: match[0] if keep and keep in match[0] else "[e-mail]", text)


def is_secret_name(name: str) -> bool:
    """Whether an option or a variable of this name holds a secret."""
    return re.fullmatch(_SENSITIVE, name, re.IGNORECASE) is not None
