"""Requests in, answers out, one at a time."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any, Callable, Dict

from .failure import ProbeFailure, one_line

__all__ = ["serve"]

Request = Dict[str, Any]

# After the parent is gone: time for the request at hand, and for a clean close of the database.
_GRACE_SECONDS = 2.0


def serve() -> None:
    """Answer the first request by opening the project, then every other, until stdin closes.

    Where the settings can be read but a model or the database cannot be opened, the first answer
    says so with ``settings``, and what the project says of itself can still be asked for.
    """
    answers = _take_stdout()
    requests = _requests()
    first = requests.get()
    if first is None:
        return
    session, loaded = None, False
    try:
        _load_settings(first)
        loaded = True
        session = _opened(first)
        answer = {"ok": True, "result": session.info()}
    # A project that calls sys.exit() when it is imported ends here, too.
    except BaseException as error:  # noqa: BLE001 (whatever it is, the parent is told)
        answer = {"ok": False, "error": _explain(error), "settings": loaded}
    _answer(answers, first, answer)
    if not loaded:
        return
    operations = {**_of_the_project(), **(session.operations() if session is not None else {})}
    try:
        while True:
            request = requests.get()
            if request is None:
                return
            _answer(answers, request, _result(operations, request))
    finally:
        if session is not None:
            session.close()


def _load_settings(first: Request) -> None:
    from .project import load_settings  # noqa: PLC0415 (imports Django, whose absence is told)

    load_settings(first["settings_module"], first["python_path"])


def _opened(first: Request) -> Any:
    from .project import load_apps  # noqa: PLC0415 (as above)

    load_apps(first["settings_module"])
    from .session import Session  # noqa: PLC0415 (imports Django models: needs the project)

    return Session(first["models"], first["intent_field"], first["limit_seconds"])


def _of_the_project() -> dict[str, Callable[[Request], Any]]:
    """The operations that need neither a model nor the database."""
    from .endpoint import endpoint_facts  # noqa: PLC0415 (imports Django: needs the settings)
    from .project_settings import project_facts  # noqa: PLC0415 (as above)

    return {
        "project": lambda _: project_facts(),
        "endpoint": lambda request: endpoint_facts(request["path"]),
    }


def _result(operations: dict[str, Callable[[Request], Any]], request: Request) -> dict[str, Any]:
    operation = str(request.get("op"))
    call = operations.get(operation)
    if call is None:
        return {"ok": False, "error": "unknown operation " + operation}
    try:
        return {"ok": True, "result": call(request)}
    except Exception as error:  # noqa: BLE001 (whatever it is, the parent is told)
        return {"ok": False, "error": _explain(error)}


def _explain(error: BaseException) -> str:
    if isinstance(error, ProbeFailure):
        return str(error)
    if isinstance(error, SystemExit):
        return f"the project exits when it is imported (exit code {error.code})"
    return one_line(error)


def _take_stdout() -> int:
    """A private descriptor for the answers; what prints to stdout goes to stderr from now on."""
    sys.stdout.flush()
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _answer(descriptor: int, request: Request, message: dict[str, Any]) -> None:
    data = json.dumps({"id": request["id"], **message}, default=str).encode("utf-8") + b"\n"
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os._exit(0)  # nobody reads: the parent is gone


def _requests() -> queue.Queue[Request | None]:
    """The requests, read by a thread so that the end of the parent is noticed at any time."""
    found: queue.Queue[Request | None] = queue.Queue()
    stream = os.fdopen(os.dup(0), "rb")
    # A project that reads stdin when it is imported must not take the requests.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def read() -> None:
        for line in stream:
            found.put(json.loads(line))
        found.put(None)
        timer = threading.Timer(_GRACE_SECONDS, os._exit, (0,))
        timer.daemon = True
        timer.start()

    threading.Thread(target=read, daemon=True).start()
    return found
