"""What httpx calls ``auth``, as far as it is headers of a request that are known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

__all__ = ["authorise"]


def authorise(request: httpx.Request, auth: Any) -> None:
    """Let ``auth`` set its headers: a pair of user and password, an ``httpx.Auth``, or a function.

    Raises ValueError for one that needs more than that: the body, which varies; a request of its
    own; an answer, as digest authentication does.
    """
    import httpx  # noqa: PLC0415 (heavy; only those who describe requests need it)

    if auth is None:
        return
    if isinstance(auth, tuple):
        auth = httpx.BasicAuth(*auth)
    elif not isinstance(auth, httpx.Auth):
        if not callable(auth):
            raise TypeError("auth must be (user, password), an httpx.Auth or a function")
        if auth(request) is not request:
            raise ValueError("the function auth must set headers of the request and return it")
        return
    name = type(auth).__name__
    if auth.requires_request_body or auth.requires_response_body:
        raise ValueError(f"{name} can't be used for load: it needs the body of each request")
    before = list(request.headers.raw)
    flow = auth.sync_auth_flow(request)
    try:
        sent = next(flow)
        if sent is not request or list(request.headers.raw) == before:
            raise ValueError(f"{name} can't be used for load: it needs answers of the server")
    finally:
        flow.close()
