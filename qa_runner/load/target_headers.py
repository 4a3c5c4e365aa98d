"""The headers that a target asks of every request: a key of its gateway, a token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import msgspec

from qa_runner.load.plan import RequestTemplate

__all__ = ["addressed", "masked"]

Headers = Sequence[tuple[str, str]]

_MASKED = "[redacted]"


def addressed(request: RequestTemplate, root: str, headers: Headers) -> RequestTemplate:
    """The request as it is sent to the target at ``root``, to which a relative URL is appended.

    ``headers`` are added unless the request has them itself: a step may try a token of its own.
    They are for the target alone: a request to another origin goes without.
    """
    url = request.url if "://" in request.url else root + request.url
    if not _same_origin(url, root):
        headers = ()
    own = {name.lower() for name, _ in request.headers}
    added = tuple((name, value) for name, value in headers if name.lower() not in own)
    return msgspec.structs.replace(request, url=url, headers=(*request.headers, *added))


def masked(headers: Iterable[tuple[str, str]], secret: Headers) -> list[tuple[str, str]]:
    """Headers to be shown, the values of ``secret`` ones hidden."""
    hidden = frozenset(secret)
    return [(name, _MASKED if (name, value) in hidden else value) for name, value in headers]


def _same_origin(one: str, other: str) -> bool:
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        # Refused when it is compiled, with the reason; it is nobody's origin.
        return url, "", None
    return parts.scheme, parts.hostname or "", port
