"""Tells a run how long its requests were in the application and in the database.

The response to a request that carries the header ``X-QA-Runner`` gets ::

    Server-Timing: app;dur=12.345, db;dur=4.321;desc="7 queries"

in the grammar of the W3C's Server Timing, in milliseconds. ``app`` is from this middleware and
back, the database included, without what streams afterwards; ``db`` is the time until the
statements of that request were answered, on all databases. Opening a connection and committing
are no statements of Django's, so they count as application; savepoints do count as queries.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase

__all__ = ["ServerTimingMiddleware"]

_SETTING = "QA_RUNNER_SERVER_TIMING"
_HEADER = "HTTP_X_QA_RUNNER"
_TIMING = "Server-Timing"

# Seconds of each query of the request at hand; None if nobody asked. A context variable follows
# a request from the event loop into the threads in which its queries run.
_asked: ContextVar[list[float] | None] = ContextVar("qa_runner_server_timing", default=None)


class ServerTimingMiddleware:
    """Does nothing, and is not even called, unless the setting QA_RUNNER_SERVER_TIMING is true."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        if not getattr(settings, _SETTING, False):
            raise MiddlewareNotUsed(f"{_SETTING} is not set")
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        # Each thread has connections of its own, which open whenever it first needs them.
        connection_created.connect(_watch_new, dispatch_uid=__name__)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """The response, and the header if the request asked for it."""
        if self._is_async:
            return self._answer_async(request)
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if _HEADER not in request.META:
            response: HttpResponseBase = self._get_response(request)
            return response
        start = perf_counter()
        with _counted() as queries:
            response = self._get_response(request)
        _tell(response, perf_counter() - start, queries)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        if _HEADER not in request.META:
            response: HttpResponseBase = await self._get_response(request)
            return response
        start = perf_counter()
        with _counted() as queries:
            response = await self._get_response(request)
        _tell(response, perf_counter() - start, queries)
        return response


@contextmanager
def _counted() -> Iterator[list[float]]:
    """The seconds of each query within."""
    for connection in connections.all(initialized_only=True):
        _watch(connection)
    queries: list[float] = []
    token = _asked.set(queries)
    try:
        yield queries
    finally:
        _asked.reset(token)


def _watch(connection: BaseDatabaseWrapper) -> None:
    if _timed not in connection.execute_wrappers:
        # In front: who leaves a `with connection.execute_wrapper(...)` takes the last one away.
        connection.execute_wrappers.insert(0, _timed)


def _watch_new(connection: BaseDatabaseWrapper, **_: Any) -> None:
    _watch(connection)


def _timed(
    execute: Callable[[str, Any, bool, dict[str, Any]], Any],
    sql: str,
    params: Any,
    many: bool,  # noqa: FBT001 (the signature of Django's wrappers)
    context: dict[str, Any],
) -> Any:
    """Run a statement; of a request that asked, keep how long it took, also if it failed."""
    queries = _asked.get()
    if queries is None:
        return execute(sql, params, many, context)
    start = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        # Threads may work for one request: appending needs no lock.
        queries.append(perf_counter() - start)


def _tell(response: HttpResponseBase, seconds: float, queries: list[float]) -> None:
    """Add the header, behind what others have sent in it."""
    count = f"{len(queries)} {'query' if len(queries) == 1 else 'queries'}"
    told = f'app;dur={1e3 * seconds:.3f}, db;dur={1e3 * sum(queries):.3f};desc="{count}"'
    earlier = response.get(_TIMING)
    response[_TIMING] = f"{earlier}, {told}" if earlier else told
