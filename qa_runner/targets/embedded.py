"""The embedded target's lifecycle: a supervisor process, and the server that it keeps running.

The supervisor lives as long as the pipe to its stdin: when this process is gone, even by
``kill -9``, it ends the server and itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from qa_runner import __version__
from qa_runner.errors import PortTaken, TargetError
from qa_runner.monitors.project import DjangoProject
from qa_runner.targets.database_url import DatabaseUrl, database_environment
from qa_runner.targets.faults import validate_faults
from qa_runner.targets.target import Target

__all__ = ["PORT_TAKEN_CODE", "EmbeddedTarget", "serve_command", "serve_environment"]

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_DROP_SECONDS = 30.0
PORT_TAKEN_CODE = 2
_DATABASE = "database.sqlite3"
_LOG = "server.log"
_SETTINGS = "qa_runner.demo.settings"
_ADDRESS = "127.0.0.1"
_OWN_DATABASE = "PostgreSQL, a database of the run's own that is dropped at its end"
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent


def serve_command(
    port: int,
    database: Path | None,
    log: Path | None,
    faults: Iterable[str],
    *,
    foreground: bool = False,
) -> list[str]:
    """The command that serves the Purchase API; ``log`` None stands for none.

    ``database`` is an SQLite file, None if the environment names a PostgreSQL server. In the
    foreground every request is logged to stderr, and stdin is left alone.
    """
    # -P: a module in the working directory must not stand in for one of ours.
    command = [sys.executable, "-P", "-m", "qa_runner.demo", "serve", f"--port={port}"]
    if database is not None:
        command.append(f"--database={database}")
    if log is not None:
        command.append(f"--log={log}")
    command += [f"--fault={name}" for name in faults]
    if foreground:
        command.append("--foreground")
    return command


def serve_environment(database: DatabaseUrl | None = None) -> dict[str, str]:
    """The environment in which that command finds its modules, from whatever folder."""
    environment = dict(os.environ)
    inherited = environment.get("PYTHONPATH")
    paths = [str(_PACKAGE_PARENT), *([inherited] if inherited else [])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment | database_environment(database)


class EmbeddedTarget:
    """Starts the Purchase API in ``folder``, which must exist.

    Its database is ``database.sqlite3`` there, created if missing and used again if not, or a new
    one on the PostgreSQL server ``database``, dropped when the target ends. Its log is
    ``server.log``. ``port`` 0 chooses a free one. Raises UnknownName for an unknown fault.
    """

    def __init__(
        self,
        folder: Path,
        *,
        faults: Iterable[str] = (),
        port: int = 0,
        database: DatabaseUrl | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.faults = validate_faults(faults)
        self.port = port
        self.database = database
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> Target:
        """Start it and wait until it answers.

        Raises PortTaken if the port is in use, TargetError if it does not start within 30 s.
        """
        if self._supervisor is not None:
            raise RuntimeError("the embedded target is started already")
        self._supervisor = _popen(
            # Names in its own folder, so that no path of this machine stands in a report.
            serve_command(
                self.port,
                Path(_DATABASE) if self.database is None else None,
                Path(_LOG),
                self.faults,
            ),
            serve_environment(self.database),
            self.folder,
        )
        try:
            ready = self._wait_until_ready(self._supervisor)
        except BaseException:
            self.stop()
            raise
        return self._target(int(ready["port"]))

    def stop(self) -> None:
        """End it; without effect if it is not running."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        with contextlib.suppress(OSError):
            _pipe(supervisor.stdin).close()
        if supervisor.poll() is None:
            supervisor.terminate()
        try:
            supervisor.wait(_STOP_SECONDS if self.database is None else _DROP_SECONDS)
        except subprocess.TimeoutExpired:
            # The server has its own pipe to the supervisor, and goes with it.
            supervisor.kill()
            supervisor.wait()
        _pipe(supervisor.stdout).close()

    def __enter__(self) -> Target:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _database(self) -> Path:
        return self.folder / _DATABASE

    @property
    def _log(self) -> Path:
        return self.folder / _LOG

    def _wait_until_ready(self, supervisor: subprocess.Popen[bytes]) -> dict[str, Any]:
        line = _read_line(supervisor, _START_SECONDS)
        if line is None:
            late = f"was not ready within {_START_SECONDS:.0f} s"
            raise TargetError(f"the embedded target {late}{self._last_words()}")
        try:
            answer = json.loads(line)
        except ValueError:
            answer = {}
        if answer.get("ready"):
            return dict(answer)
        error = answer.get("error", "it ended")
        with contextlib.suppress(subprocess.TimeoutExpired):
            if supervisor.wait(_STOP_SECONDS) == PORT_TAKEN_CODE and "error" in answer:
                raise PortTaken(f"{error}; choose another, or leave --port out for a free one")
        raise TargetError(f"the embedded target did not start: {error}{self._last_words()}")

    def _last_words(self) -> str:
        """The last line of the log, to stand behind a message."""
        try:
            lines = self._log.read_text("utf-8", errors="replace").split("\n")
        except OSError:
            return ""
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" (log: {last})" if last else ""

    def _target(self, port: int) -> Target:
        return Target(
            name="demo",
            url=f"http://{_ADDRESS}:{port}",
            environment="embedded",
            host=_ADDRESS,
            port=port,
            faults=self.faults,
            log_path=self._log,
            project=DjangoProject(
                interpreter=sys.executable,
                settings_module=_SETTINGS,
                python_path=(str(_PACKAGE_PARENT),),
                environment={
                    "DJANGO_SETTINGS_MODULE": _SETTINGS,
                    "QA_RUNNER_DEMO_DATABASE": str(self._database),
                    "QA_RUNNER_DEMO_FAULTS": ",".join(self.faults),
                    **database_environment(self.database),
                },
            ),
            facts={
                "application": "Purchase API, embedded",
                "version": f"qa-runner {__version__} demo, Django {metadata.version('django')}",
                "server": "threaded WSGI server",
                "database": self._database.name if self.database is None else _OWN_DATABASE,
                "faults": ", ".join(self.faults) or "none",
            },
        )


def _popen(
    command: list[str], environment: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 (our own command)
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What matters is in the log; a run's output must stay the run's.
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise TargetError(
            f"cannot start the embedded target in {folder}: {error.strerror or error}"
        ) from None


def _pipe(stream: Any) -> Any:
    assert stream is not None  # noqa: S101 (asked for above; for the type checker)
    return stream


def _read_line(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """A line of the process's stdout, or what there is of it at its end; None after ``seconds``."""
    descriptor = _pipe(process.stdout).fileno()
    deadline = time.monotonic() + seconds
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            chunk = os.read(descriptor, 4096)
            if not chunk:
                break
            line += chunk
    return line
