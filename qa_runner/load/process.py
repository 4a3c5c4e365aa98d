"""The generator process, from the side of the main process."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import IO, NoReturn

import msgspec
import psutil

from qa_runner.clock import Clock
from qa_runner.errors import GeneratorError
from qa_runner.load.engine import prepare
from qa_runner.load.frames import FrameBuffer, pack_frame
from qa_runner.load.handle import LoadHandle
from qa_runner.load.messages import (
    Finished,
    Health,
    Ready,
    Samples,
    Stop,
    decode_report,
    encode,
    encode_plan,
)
from qa_runner.load.plan import LoadPlan
from qa_runner.redaction import known_secrets, redact
from qa_runner.table import SERIES, Table

__all__ = ["GeneratorProcess", "LoadHandle", "child_environment"]

_START_SECONDS = 30.0
_CLOSE_SECONDS = 2.0
_SILENT_SECONDS = 30.0
"""It says how it is every second; one that says nothing for so long hangs."""
_SILENT_AFTER_STOP_SECONDS = 5.0
_READ_BYTES = 1024 * 1024
_LAST_WORDS_BYTES = 8 * 1024
GENERATOR_ENDED = "generator ended"


class GeneratorProcess:
    """One process that sends all loads of a run, in a session of its own.

    Everything here happens on the caller's thread: samples arrive in :meth:`poll`. The process
    ends when this object is closed, and also when this process dies in whatever way. Its rows
    carry the number of the run's ``session``.
    """

    def __init__(self, clock: Clock, *, session: int = 1) -> None:
        self.event_loop = ""
        self.safety_reason = ""
        """Why no more load may be sent, in one sentence; see guard.py."""
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._selector = selectors.DefaultSelector()
        self._frames = FrameBuffer()
        self._last_words = b""
        self._heard = 0.0
        self._silent_seconds = _SILENT_SECONDS
        self._handles: dict[int, LoadHandle] = {}
        self._health: list[dict[str, float]] = []
        self._session = session

    @property
    def pid(self) -> int:
        """Process id of the generator; raises GeneratorError if it is not running."""
        return self._running().pid

    def start(self) -> None:
        """Start the process and wait until it takes commands.

        Raises GeneratorError if it can't be started.
        """
        if self._process is not None:
            raise GeneratorError("the load generator has already been started")
        try:
            self._process = process = subprocess.Popen(
                # -P: a module of the current folder must not stand in for one of Python's.
                [sys.executable, "-P", "-m", "qa_runner.load.generator"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise GeneratorError(
                f"the load generator could not be started: {error.strerror or error}"
            ) from None
        for pipe in (process.stdout, process.stderr):
            self._selector.register(_number(pipe), selectors.EVENT_READ)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self) -> None:
        deadline = monotonic() + _START_SECONDS
        while not self.event_loop:
            left = deadline - monotonic()
            if left <= 0:
                raise GeneratorError(
                    f"the load generator did not start within {_START_SECONDS:g} s"
                )
            self.poll(left)

    def submit(self, plan: LoadPlan, *, part: str, role: str, tag: str = "") -> LoadHandle:
        """Start a load, beside any that are running.

        ``tag`` is that of its samples, where the shape gives them none. ``plan.number`` must be
        new. Raises ValueError if the plan can't be sent, and GeneratorError if the process has
        ended.
        """
        self._running()
        if plan.number in self._handles:
            raise ValueError(f"there already is a load number {plan.number}")
        frame = pack_frame(encode_plan(plan, known_secrets()))
        handle = LoadHandle(
            plan,
            prepare(plan),
            self._clock,
            self._stop,
            part=part,
            role=role,
            tag=tag,
            session=self._session,
        )
        self._handles[plan.number] = handle
        if not self._try_write(frame):
            self._raise_ended()
        return handle

    def poll(self, timeout_seconds: float) -> bool:
        """Take in what the generator reports, waiting for at most ``timeout_seconds``.

        True if something arrived. Raises GeneratorError if the process has ended; its loads are
        finished then, with the stop reason "generator ended", and keep what had arrived. One that
        has said nothing for long, as in a function of the author's that never returns, is ended.
        """
        process = self._running()
        arrived = False
        ended = False
        for key, _ in self._selector.select(max(timeout_seconds, 0.0)):
            data = os.read(key.fd, _READ_BYTES)
            if not data:
                self._selector.unregister(key.fd)
                ended = ended or key.fd == _number(process.stdout)
            elif key.fd == _number(process.stderr):
                self._last_words = (self._last_words + data)[-_LAST_WORDS_BYTES:]
            else:
                arrived = True
                self._take_in(data)
        if ended:
            self._raise_ended()
        if arrived:
            self._heard = monotonic()
        elif self.event_loop and monotonic() - self._heard > self._silent_seconds:
            self._raise_silent(process)
        return arrived

    def health(self) -> Table:
        """Rows of ``SERIES["generator"]`` since the last call: one each second."""
        rows, self._health = self._health, []
        return Table.from_rows(SERIES["generator"], rows)

    def cpu_seconds(self) -> float | None:
        """CPU time that the process has used; None if it has ended or the system does not tell."""
        if self._process is None:
            return None
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.Error:
            return None
        return float(times.user + times.system)

    def close(self) -> None:
        """End the process, even if it hangs, and reap it; harmless when repeated."""
        process, self._process = self._process, None
        if process is None:
            return
        for handle in self._handles.values():
            if not handle.finished:
                handle.end(GENERATOR_ENDED)
        with contextlib.suppress(OSError):
            _opened(process.stdin).close()
        try:
            process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._selector.close()
        for pipe in (process.stdout, process.stderr):
            _opened(pipe).close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise GeneratorError("the load generator is not running")
        return self._process

    def _take_in(self, data: bytes) -> None:
        try:
            for message, payload in self._frames.feed(data):
                self._take_frame(message, payload)
        except (ValueError, msgspec.DecodeError) as error:
            self.close()
            raise GeneratorError(f"the load generator sent something odd: {error}") from None

    def _take_frame(self, message: bytes, payload: bytes) -> None:
        match decode_report(message):
            case Samples() as report:
                self._handles[report.load].add(report, payload)
            case Finished(load=number, stop_reason=reason, safety=safety):
                self._handles[number].end(reason)
                self.safety_reason = self.safety_reason or safety
            case Health() as health:
                self._health.append(
                    {
                        "session": float(self._session),
                        "time": self._clock.from_monotonic(health.time),
                        "cpu_percent": health.cpu_percent,
                        "loop_lag_seconds": health.loop_lag_seconds,
                        "in_flight": float(health.in_flight),
                    }
                )
            case Ready(event_loop=name):
                self.event_loop = name

    def _stop(self, number: int) -> None:
        # If the generator has ended, the next poll says so.
        self._silent_seconds = _SILENT_AFTER_STOP_SECONDS
        self._try_write(pack_frame(encode(Stop(load=number))))

    def _try_write(self, frame: bytes) -> bool:
        if self._process is None:
            return False
        data = memoryview(frame)
        try:
            pipe = _number(self._process.stdin)
            while data:
                data = data[os.write(pipe, data) :]
        except OSError:
            return False
        return True

    def _raise_ended(self) -> NoReturn:
        process = self._running()
        stderr = _number(process.stderr)
        try:
            code = process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        while data := os.read(stderr, _LAST_WORDS_BYTES):
            self._last_words = (self._last_words + data)[-_LAST_WORDS_BYTES:]
        self.close()
        raise GeneratorError(f"the load generator ended: {_how(code)}{self._last_line()}")

    def _raise_silent(self, process: subprocess.Popen[bytes]) -> NoReturn:
        process.kill()
        self.close()
        raise GeneratorError(
            f"the load generator was ended: it had said nothing for {self._silent_seconds:g} s; "
            "a function of the test case that it calls may never return"
        )

    def _last_line(self) -> str:
        lines = self._last_words.decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f"; it said: {redact(said[-1])[:300]}" if said else ""


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise GeneratorError("the load generator has no pipes")
    return pipe


def _number(pipe: IO[bytes] | None) -> int:
    return _opened(pipe).fileno()


def child_environment() -> dict[str, str]:
    """For a process of ours: this one's, with the folder of the package in a bare checkout."""
    environment = dict(os.environ)
    folder = Path(__file__).resolve().parents[2]
    if folder.name not in ("site-packages", "dist-packages"):
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{known}{os.pathsep}{folder}" if known else str(folder)
    return environment
