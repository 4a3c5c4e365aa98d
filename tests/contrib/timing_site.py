"""A Django project in one file: ``python timing_site.py wsgi|asgi on|off``.

It prints its port, serves on loopback, and ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings

ADDRESS = "127.0.0.1"
TIMING = "Server-Timing"


class Earlier:
    """A middleware of the project's own that sends the header, too."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction  # noqa: PLC0415

        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self.is_async:
            return self.later(request)
        return self.mark(request, self.get_response(request))

    async def later(self, request: Any) -> Any:
        return self.mark(request, await self.get_response(request))

    def mark(self, request: Any, response: Any) -> Any:
        if "earlier" in request.GET:
            response[TIMING] = "cache;dur=2"
        return response


def configure(*, switched_on: bool) -> None:
    memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="of a test",  # noqa: S106 (of a test)
        ROOT_URLCONF="timing_site",
        DATABASES={"default": memory, "other": dict(memory)},
        MIDDLEWARE=["qa_runner.contrib.django.ServerTimingMiddleware", "timing_site.Earlier"],
        LOGGING_CONFIG=None,
        **({"QA_RUNNER_SERVER_TIMING": True} if switched_on else {}),
    )


def ask(alias: str = "default", sql: str = "SELECT 1", *parameters: Any) -> None:
    from django.db import connections  # noqa: PLC0415

    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)


def answer(**values: Any) -> Any:
    from django.http import JsonResponse  # noqa: PLC0415

    return JsonResponse(values)


def queries(request: Any) -> Any:
    """As many queries as asked for, a pause between them."""
    for _ in range(int(request.GET.get("count", 3))):
        ask()
        time.sleep(0.005)
    return answer()


def several(request: Any) -> Any:
    """Two databases, and one statement with many rows."""
    from django.db import connection  # noqa: PLC0415

    ask("other")
    ask(sql="CREATE TEMP TABLE IF NOT EXISTS n (a)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO n VALUES (%s)", [(1,), (2,), (3,)])
    return answer()


def slow(request: Any) -> Any:
    """A query of 50 ms, and 50 ms of something else."""
    from django.db import connection  # noqa: PLC0415

    connection.ensure_connection()
    connection.connection.create_function("wait", 1, time.sleep)
    ask("default", "SELECT wait(0.05)")
    time.sleep(0.05)
    return answer()


def nothing(request: Any) -> Any:
    return answer()


def broken(request: Any) -> Any:
    """A query that fails, another, and an error of the view."""
    from django.db import DatabaseError  # noqa: PLC0415

    try:
        ask(sql="SELECT nonsense")
    except DatabaseError:
        ask()
    raise RuntimeError("as intended")


def stream(request: Any) -> Any:
    """Asks while it streams, when the header is gone already."""
    from django.http import StreamingHttpResponse  # noqa: PLC0415

    ask()

    def pieces() -> Iterator[str]:
        for number in range(3):
            ask()
            yield f"{number}\n"

    return StreamingHttpResponse(pieces())


def own_wrapper(request: Any) -> Any:
    """The project's own wrapper, around the first query of a connection; is it gone after?"""
    from django.db import connections  # noqa: PLC0415

    seen: list[str] = []

    def own(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        seen.append(sql)
        return execute(sql, params, many, context)

    connection = connections.create_connection("default")
    with connection.execute_wrapper(own), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    left = own in connection.execute_wrappers
    connection.close()
    return answer(seen=seen, left=left)


async def asynchronous(request: Any) -> Any:
    """One after the other in the request's thread, and at once in others."""
    await sync_to_async(ask)()
    await sync_to_async(ask)()
    await asyncio.gather(*(sync_to_async(ask, thread_sensitive=False)() for _ in range(3)))
    return answer()


async def asynchronous_count(request: Any) -> Any:
    for _ in range(int(request.GET["count"])):
        await sync_to_async(ask)()
        await asyncio.sleep(0.005)
    return answer()


def urls() -> list[Any]:
    from django.urls import path  # noqa: PLC0415

    views = (queries, several, slow, nothing, broken, stream, own_wrapper, asynchronous)
    return [path(f"{view.__name__}/", view) for view in (*views, asynchronous_count)]


def __getattr__(name: str) -> Any:
    # Asked for by Django once it is set up, by the name of this module.
    if name == "urlpatterns":
        return urls()
    raise AttributeError(name)


def announce(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def serve_wsgi() -> None:
    from django.core.servers.basehttp import (  # noqa: PLC0415
        ThreadedWSGIServer,
        WSGIRequestHandler,
    )
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    application = get_wsgi_application()
    server = ThreadedWSGIServer((ADDRESS, 0), WSGIRequestHandler)
    server.set_app(application)
    announce(server.server_port)
    server.serve_forever()


async def serve_asgi() -> None:
    """As much of a server as the tests need: one request on each connection."""
    from django.core.asgi import get_asgi_application  # noqa: PLC0415

    application: Callable[..., Awaitable[None]] = get_asgi_application()  # type: ignore[assignment]

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        path, _, query = target.partition("?")
        pairs = [line.partition(":") for line in lines[1:] if line]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.strip().encode()) for k, _, v in pairs],
        }
        gone = asyncio.Event()
        told = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for event in told:
                return event
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            if event["type"] == "http.response.start":
                writer.write(f"HTTP/1.1 {event['status']} Told\r\n".encode())
                for name, value in event["headers"]:
                    writer.write(name + b": " + value + b"\r\n")
                writer.write(b"Connection: close\r\n\r\n")
            else:
                writer.write(event.get("body", b""))

        await application(scope, receive, send)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, ADDRESS, 0)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def main() -> None:
    # The project's own modules are asked for by name, this one among them.
    sys.modules["timing_site"] = sys.modules[__name__]
    threading.Thread(target=end_with_parent, daemon=True).start()
    configure(switched_on=sys.argv[2] == "on")
    if sys.argv[1] == "wsgi":
        serve_wsgi()
    else:
        asyncio.run(serve_asgi())


if __name__ == "__main__":
    main()
