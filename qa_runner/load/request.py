"""How an author describes a request: in httpx's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from qa_runner.load.plan import RequestTemplate

__all__ = ["request"]

_ANY_HOST = "http://host.invalid"
_OF_THE_CONNECTION = ("host", "content-length", "connection", "transfer-encoding")


def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: str | None = None,
    data: Mapping[str, Any] | None = None,
    key: str = "",
    success_statuses: tuple[int, ...] = (200,),
    required: tuple[str, ...] = (),
    extract: tuple[str, ...] = (),
    server_timing: bool = False,
) -> RequestTemplate:
    """A request template from method, URL, params, headers and json, content or data.

    They mean what they mean to ``httpx.Request``, which encodes them once. ``url`` may be
    relative to the target's. The fields ``{i}`` and ``{tag}`` may stand in ``url``, the values
    of ``params``, the body and ``key``. ``required`` and ``extract`` are paths ("a.b") in the
    JSON body of the response; the rest is as in :class:`RequestTemplate`. Raises ValueError for
    a path without its slash and for what httpx cannot encode, such as a value that is not JSON.
    """
    import httpx  # noqa: PLC0415 (heavy; only those who describe requests need it)

    if "://" not in url and not url.startswith("/"):
        raise ValueError(f"{method} {url}: a path begins with /, an address with http://")
    base = "" if "://" in url else _ANY_HOST
    try:
        built = httpx.Request(
            method,
            base + url,
            params=params,
            headers=headers,
            json=json,
            content=content,
            data=data,
        )
        body = built.read().decode()
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError(f"{method} {url}: {error}") from None
    # httpx encodes the braces of our fields; they must be found again when rendering.
    target = str(built.url).removeprefix(base)
    for field in ("{i}", "{tag}"):
        encoded = "%7B" + field[1:-1] + "%7D"
        target = target.replace(encoded, unquote(encoded))
        body = body.replace(encoded, field)
    return RequestTemplate(
        method=built.method,
        url=target,
        headers=tuple(
            (name.title(), value)
            for name, value in built.headers.items()
            if name not in _OF_THE_CONNECTION
        ),
        body=body,
        key=key,
        success_statuses=success_statuses,
        required=required,
        extract=tuple((path, path) for path in extract),
        server_timing=server_timing,
    )
