"""A server that a run starts by its command: awaited, its output kept, and ended."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from qa_runner.errors import TargetError, UsageError
from qa_runner.monitors.port_owner import find_owner
from qa_runner.monitors.process_facts import command_line
from qa_runner.stop import StopToken
from qa_runner.targets.command import split_command
from qa_runner.targets.guardian_process import GuardianProcess
from qa_runner.targets.log_tail import last_lines
from qa_runner.targets.readiness import not_ready
from qa_runner.targets.url import connect, is_taken

__all__ = ["ServerCommand", "StartOrder"]

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class StartOrder:
    """What to start, and when it counts as ready.

    ``command`` is split as a shell would and run without one in ``folder``; ``environment`` is
    added to this process's. Its output is appended to ``log``. It is ready when a GET of
    ``ready_url`` is answered below 500, or if that is empty when ``port`` accepts connections at
    one of ``addresses``, which are those of ``host``. ``name`` is the target's.
    """

    name: str
    command: str
    folder: Path
    log: Path
    host: str
    addresses: tuple[str, ...]
    port: int
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    ready_url: str = ""
    ready_seconds: float = 30.0
    stop_seconds: float = 10.0
    verify_tls: bool = True


class ServerCommand:
    """Starts the server when entered, once its port is free, and ends it when left.

    Raises UsageError for a command or a log that is not usable, TargetError if the server does
    not start or is not ready in time, with the last lines of its log, StopRequested if ``stop``
    is set meanwhile.
    """

    def __init__(self, order: StartOrder, stop: StopToken) -> None:
        self.order = order
        self.arguments = split_command(order.name, order.command)
        self._stop = stop
        self._process = GuardianProcess(order.stop_seconds)
        self._log_start = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self._refuse_taken_port()
        try:
            self._spawn()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and all that it started; without effect if it does not run."""
        self._process.stop()

    def ended(self) -> str:
        """How it ended by itself, in one sentence; "" while it runs, and after :meth:`stop`."""
        how = self._process.end_of_server()
        return f"The server that the run started {how}{self._last_words()}." if how else ""

    # ---------------------------------------------------------------- start

    def _refuse_taken_port(self) -> None:
        order = self.order
        for address in order.addresses:
            if not is_taken(address, order.port):
                continue
            owner = find_owner(order.port, address=address).process
            who = f" by {_describe(owner)}" if owner is not None else ""
            raise TargetError(
                f"the server of target '{order.name}' cannot be started: port {order.port} is "
                f"taken{who}; end that, or leave out [targets.{order.name}.server] to test it"
            )

    def _spawn(self) -> None:
        order = self.order
        # What the server prints should be in the log when it ends early.
        environment = {"PYTHONUNBUFFERED": "1", **os.environ, **order.environment}
        try:
            log = order.log.open("ab")
        except OSError as error:
            raise UsageError(
                f"cannot write the server's log {order.log}: {error.strerror or error}; "
                f"correct log in [targets.{order.name}.server]"
            ) from None
        with log:
            self._log_start = log.tell()
            failure = self._process.start(self.arguments, order.folder, environment, log)
        if failure:
            missing = "" if order.folder.is_dir() else f" (no folder {order.folder})"
            raise TargetError(
                f"cannot start {self.arguments[0]}: {failure}{missing}; correct command in "
                f"[targets.{order.name}.server], for example with the full path of the program"
            )

    def _wait_until_ready(self) -> None:
        order = self.order
        deadline = time.monotonic() + order.ready_seconds
        while True:
            self._check_alive()
            missing = self._missing()
            if not missing:
                # What answers must be this server, not one that took its port meanwhile.
                self._check_alive()
                return
            if time.monotonic() >= deadline:
                raise TargetError(
                    f"the server of target '{order.name}' was not ready within "
                    f"{order.ready_seconds:g} s: {missing}{self._elsewhere()}{self._last_words()}"
                )
            self._stop.sleep(_POLL_SECONDS)

    def _missing(self) -> str:
        order = self.order
        if order.ready_url:
            reason = not_ready(order.ready_url, verify_tls=order.verify_tls)
            return f"GET {order.ready_url}: {reason}" if reason else ""
        try:
            connect(order.addresses, order.host, order.port)
        except TargetError as error:
            return str(error).partition(": is the server")[0]
        return ""

    def _check_alive(self) -> None:
        """Raise TargetError if it has ended."""
        how = self._process.end_of_server()
        if how:
            hint = (
                "; leave out options such as --daemon, so that it stays in the foreground"
                if self._process.code == 0
                else ""
            )
            raise TargetError(
                f"the server of target '{self.order.name}' {how} before it was ready"
                f"{hint}{self._last_words()}"
            )

    # ---------------------------------------------------------------- words

    def _elsewhere(self) -> str:
        """On which other ports the server listens, if it does."""
        server = self._process.server
        if server is None:
            return ""
        ports: set[int] = set()
        with contextlib.suppress(psutil.Error):
            for process in (server, *server.children(recursive=True)):
                for connection in process.net_connections(kind="tcp"):
                    if connection.status == psutil.CONN_LISTEN:
                        ports.add(connection.laddr.port)
        ports.discard(self.order.port)
        if not ports:
            return ""
        listed = ", ".join(str(port) for port in sorted(ports))
        return f"; it listens on port {listed}, the target's URL names {self.order.port}"

    def _last_words(self) -> str:
        lines = last_lines(self.order.log, self._log_start)
        return f"; its last lines: {' | '.join(lines)}" if lines else "; it printed nothing"


def _describe(process: psutil.Process) -> str:
    try:
        return f"process {process.pid} ({command_line(process.cmdline()) or process.name()})"
    except psutil.Error:
        return f"process {process.pid}"
