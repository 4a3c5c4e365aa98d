"""The process of the database probe: start it, ask it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import msgspec

from qa_runner.errors import ProbeError
from qa_runner.monitors.project import DjangoProject
from qa_runner.redaction import redact, redact_front

__all__ = ["ProbeLost", "ProbeProcess", "SettingsOnly"]

_SCRIPT = Path(__file__).parent / "probe" / "__main__.py"
_LINE_BYTES = 4096
_QUOTED_CHARACTERS = 300
_LOOKED_AT_CHARACTERS = 4 * _QUOTED_CHARACTERS
_END_SECONDS = 4.0


class ProbeLost(ProbeError):
    """The process ended or did not answer in time; another one may do better."""


class SettingsOnly(ProbeError):
    """A model or the database cannot be opened; the process answers what the settings say."""


class _Answer(msgspec.Struct):
    id: int
    ok: bool
    error: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")
    settings: bool = False


class ProbeProcess:
    """A probe in a session of its own, which ends when its stdin closes: at the latest with us.

    ``opening`` is its first request: what to open. Not safe for several threads at a time.
    """

    def __init__(self, project: DjangoProject, opening: Mapping[str, Any]) -> None:
        self._project = project
        self._opening = {
            "settings_module": project.settings_module,
            "python_path": list(project.python_path),
            **opening,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._drain: threading.Thread | None = None
        self._errors: deque[str] = deque(maxlen=20)
        self._unread = b""
        self._asked = 0

    @property
    def pid(self) -> int | None:
        """The process's id; None while there is none."""
        return self._process.pid if self._process is not None else None

    def start(self, limit_seconds: float) -> None:
        """Start the process and open the project.

        Raises ProbeError with one line that says what is wrong and what to do; the process has
        ended then, except for SettingsOnly.
        """
        project = self._project
        environment = {**os.environ, **project.environment}
        # That of our own interpreter would keep another one from finding its library.
        environment.pop("PYTHONHOME", None)
        folders = [path for path in project.python_path if Path(path).is_dir()]
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the interpreter the user named)
                [project.interpreter, "-B", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folders[0] if folders else None,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ProbeError(
                f"the project's interpreter {project.interpreter} cannot be run "
                f"({error.strerror or error}): give the Python that the server runs with"
            ) from None
        self._unread = b""
        self._errors.clear()
        self._drain = threading.Thread(
            target=self._read_errors, args=(self._process,), name="probe-stderr", daemon=True
        )
        self._drain.start()
        try:
            self.ask(self._opening, limit_seconds)
        except SettingsOnly:
            raise
        except ProbeLost as error:
            self.kill()
            if "py" not in PurePath(project.interpreter).name.lower():
                raise ProbeError(
                    f"the project's interpreter {project.interpreter} cannot be run as one "
                    f"({error}): is it a Python? Give the one that the server runs with"
                ) from None
            raise ProbeError(
                f"{error} while it opened {project.settings_module}{self._quote()}; check what "
                "the project does when it is imported"
            ) from None
        except BaseException:
            self.end()
            raise

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> msgspec.Raw:
        """Send a request and wait for its result.

        Raises ProbeError with what the probe says is wrong, and ProbeLost if the process ended
        or did not answer in time.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ProbeLost("the database probe does not run")
        deadline = time.monotonic() + limit_seconds
        try:
            answer = self._exchange(
                process.stdin.fileno(), process.stdout.fileno(), request, deadline
            )
        except TimeoutError:
            raise ProbeLost(
                f"the database probe did not answer within {limit_seconds:g} s"
            ) from None
        except (OSError, EOFError, msgspec.DecodeError):
            raise ProbeLost(f"the database probe {self._how_it_ended(process)}") from None
        if not answer.ok:
            kind = SettingsOnly if answer.settings else ProbeError
            raise kind(redact(answer.error))
        return answer.result

    def end(self) -> None:
        """End the process, by force if it must be, and reap it. Harmless when repeated."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            # A pipe that is broken already closes all the same.
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._drain is not None:
            # A grandchild of the project's could hold stderr open: not waited for for long.
            self._drain.join(1.0)
        if process.stdout is not None:
            process.stdout.close()

    def kill(self) -> None:
        """End the process without giving it time."""
        if self._process is not None:
            self._process.kill()
        self.end()

    def _exchange(
        self, stdin: int, stdout: int, request: Mapping[str, Any], deadline: float
    ) -> _Answer:
        self._asked += 1
        numbered = {**request, "id": self._asked}
        _write(stdin, json.dumps(numbered).encode() + b"\n", deadline)
        while True:
            answer = msgspec.json.decode(self._line(stdout, deadline), type=_Answer)
            # An interrupt can leave the answer to an earlier request behind.
            if answer.id == self._asked:
                return answer

    def _line(self, descriptor: int, deadline: float) -> bytes:
        while b"\n" not in self._unread:
            _wait(descriptor, selectors.EVENT_READ, deadline)
            data = os.read(descriptor, 1 << 16)
            if not data:
                raise EOFError
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _read_errors(self, process: subprocess.Popen[bytes]) -> None:
        """Keep stderr from filling up, and its last lines for messages."""
        if process.stderr is None:
            return
        begins = True
        with process.stderr as stream:
            while line := stream.readline(_LINE_BYTES):
                text = line.decode("utf-8", "replace").strip()
                # The rest of a longer line could begin within a secret.
                if text and begins:
                    self._errors.append(text)
                begins = line.endswith(b"\n")

    def _quote(self) -> str:
        if not self._errors:
            return ""
        # Cut after redacting: half of a secret is still one.
        said = redact_front(self._errors[-1], _LOOKED_AT_CHARACTERS)[:_QUOTED_CHARACTERS]
        return f" (its last output: {said})"

    @staticmethod
    def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
        try:
            code = process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "gave an answer that cannot be read"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _write(descriptor: int, data: bytes, deadline: float) -> None:
    os.set_blocking(descriptor, False)  # a probe that is stuck must not make us stick
    while data:
        _wait(descriptor, selectors.EVENT_WRITE, deadline)
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(descriptor, data) :]


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Wait until the descriptor is ready.

    Raises TimeoutError once the deadline has passed.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        if not selector.select(max(deadline - time.monotonic(), 0.0)):
            raise TimeoutError
