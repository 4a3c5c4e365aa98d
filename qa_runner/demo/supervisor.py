"""The process manager: keeps one server process running. Standard library only.

The server process owns the listening socket, so whoever looks for the owner of the port finds
it, and while it is being started again requests are refused, as in a real deployment.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import threading
import time
from collections import deque
from typing import Any

from qa_runner.demo import log
from qa_runner.demo.launch import EXIT_PORT_TAKEN, Options, announce, watch_lifeline, watch_parent
from qa_runner.demo.own_database import OwnDatabase

__all__ = ["run"]

_LOG = logging.getLogger("purchase_api.supervisor")
_MOST_DEATHS = 5
_DEATH_WINDOW_SECONDS = 5.0
_STOP_SECONDS = 2.0
_RETRY_SECONDS = 0.5


def run(options: Options) -> int:
    """Start the server, announce that it is ready, and keep it running until told to stop.

    Returns 0 after an orderly stop, 2 if the port is taken, 1 if the server does not start or
    keeps ending.
    """
    try:
        if options.database is not None:
            options.database.parent.mkdir(parents=True, exist_ok=True)
        log.configure(options.log, console=options.foreground)
    except (OSError, ValueError) as error:
        announce(ready=False, error=f"cannot write the log: {error}")
        return 1
    return _Supervisor(options).run()


class _Supervisor:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._stopping = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        self._database = OwnDatabase()
        # Reentrant: a signal handler may interrupt the main thread while it holds the lock.
        self._lock = threading.RLock()

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        watch = watch_parent if self._options.foreground else watch_lifeline
        watch(self._stop)
        error = self._database.create()
        if error:
            announce(ready=False, error=error)
            return 1
        try:
            return self._supervise()
        finally:
            self._end_server()
            error = self._database.drop()
            if error:
                _LOG.error("%s", error)

    def _stop(self, *_: object) -> None:
        self._stopping.set()
        with self._lock:
            if self._server is not None and self._server.poll() is None:
                self._server.terminate()

    def _supervise(self) -> int:
        port = self._options.port
        announced = False
        deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        while True:
            server = self._start(port)
            if server is None:
                return 0
            ready = _read_line(server)
            if not announced:
                if not ready.get("ready"):
                    code = server.wait()
                    if self._stopping.is_set():
                        return 0
                    announce(ready=False, error=ready.get("error", "the server ended at start"))
                    return EXIT_PORT_TAKEN if code == EXIT_PORT_TAKEN else 1
                port = ready["port"]
                announce(**ready)
                announced = True
            elif not ready.get("ready"):
                # Somebody may hold the port for a moment.
                self._stopping.wait(_RETRY_SECONDS)
            code = server.wait()
            if self._stopping.is_set():
                return 0
            now = time.monotonic()
            deaths.append(now)
            if len(deaths) == _MOST_DEATHS and now - deaths[0] < _DEATH_WINDOW_SECONDS:
                _LOG.error(
                    "server process %d ended (%s); giving up after %d times in %.0f s",
                    server.pid,
                    _ending(code),
                    _MOST_DEATHS,
                    _DEATH_WINDOW_SECONDS,
                )
                return 1
            _LOG.error("server process %d ended (%s); starting again", server.pid, _ending(code))

    def _start(self, port: int) -> subprocess.Popen[bytes] | None:
        with self._lock:
            self._close_pipes()
            if self._stopping.is_set():
                return None
            # What a dying interpreter prints belongs into the log.
            with contextlib.ExitStack() as stack:
                errors = None
                if self._options.log is not None and not self._options.foreground:
                    errors = stack.enter_context(self._options.log.open("ab"))
                self._server = subprocess.Popen(  # noqa: S603 (our own command)
                    self._options.server_command(port),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            if self._stopping.is_set():
                # The signal came while there was no process yet to pass it on to.
                self._server.terminate()
            return self._server

    def _end_server(self) -> None:
        with self._lock:
            server = self._server
            if server is not None and server.poll() is None:
                server.terminate()
                try:
                    server.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
            self._close_pipes()

    def _close_pipes(self) -> None:
        if self._server is not None:
            for pipe in (self._server.stdin, self._server.stdout):
                if pipe is not None:
                    pipe.close()


def _read_line(server: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert server.stdout is not None  # noqa: S101 (asked for above; for the type checker)
    try:
        line = json.loads(server.stdout.readline())
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
