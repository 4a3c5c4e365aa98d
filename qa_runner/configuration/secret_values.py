"""What of a configuration must never be written anywhere."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from qa_runner.configuration.schema import TargetEntry
from qa_runner.redaction import is_secret_name

__all__ = ["entry_secrets", "header_secrets", "url_secrets", "variable_secrets"]

_PUBLIC_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-type",
        "host",
        "origin",
        "referer",
        "user-agent",
        "x-requested-with",
    }
)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def entry_secrets(entry: TargetEntry) -> set[str]:
    """Token, values of headers, and what variables hold of keys, passwords and database URLs."""
    found = {entry.bearer_token}
    for name, value in entry.headers.items():
        # Whatever its name is, it may be what lets the bearer in.
        if name.lower() not in _PUBLIC_HEADERS:
            found |= {value, *header_secrets([(name, value)], every=True)}
    for owner in (entry.project, entry.server):
        for name, value in (owner.environment if owner is not None else {}).items():
            found |= {value} if is_secret_name(name) else set()
            found |= url_secrets(value)
    if entry.server is not None:
        for word in entry.server.command.split():
            found |= url_secrets(word)
    return found - {""}


def header_secrets(headers: Iterable[tuple[str, str]], *, every: bool = False) -> set[str]:
    """The values of headers such as Authorization and Cookie, and the credentials within."""
    found: set[str] = set()
    for name, value in headers:
        if not (every or is_secret_name(name)):
            continue
        # "Bearer abc" as a whole and abc; "a=1; b=2" as a whole, 1 and 2.
        last = value.rpartition(" ")[2]
        found |= {value, last, *_basic(last)}
        found |= {pair.partition("=")[2].strip() for pair in value.split(";")}
    return found - {""}


def _basic(encoded: str) -> Iterator[str]:
    """User and password of basic authentication, and the password."""
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    _, colon, password = pair.partition(":")
    if colon and pair.isprintable():
        yield from (pair, password)


def url_secrets(text: str) -> set[str]:
    """A URL with a password, such as a database's, and the password, encoded and as it is."""
    try:
        parts = urlsplit(text)
        password = parts.password
    except ValueError:
        return set()
    found = {password, unquote(password)} if password else set()
    # libpq takes the password as an option, too, and a + as what it is.
    options = parse_qsl(parts.query.replace("+", "%2B"))
    found |= {value for name, value in options if is_secret_name(name)}
    return found | {text} if found else set()


def variable_secrets(value: Any) -> set[str]:
    """The values of the variables with a secret's name that texts in ``value`` refer to."""
    if isinstance(value, Mapping):
        return set().union(*map(variable_secrets, value.values()))
    if isinstance(value, list):
        return set().union(*map(variable_secrets, value))
    names = _VARIABLE.findall(value) if isinstance(value, str) else []
    return {os.environ.get(name, "") for name in names if is_secret_name(name)} - {""}
