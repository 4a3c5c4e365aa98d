"""The stub that the generator is calibrated against, from the side of the main process."""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import sys
from types import TracebackType
from typing import IO, Self

from qa_runner.errors import CalibrationError
from qa_runner.load.process import child_environment

__all__ = ["StubProcess"]

_START_SECONDS = 15.0
_CLOSE_SECONDS = 2.0


class StubProcess:
    """Runs while inside; ended and reaped when left, and gone with this process in any case."""

    def __init__(self) -> None:
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", "qa_runner.load.stub"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=child_environment(),
                # Ctrl-C is for the main process, which ends this one.
                start_new_session=True,
            )
        except OSError as error:
            raise CalibrationError(
                f"the stub server could not be started: {error.strerror or error}"
            ) from None
        try:
            assert process.stdout is not None  # noqa: S101 (PIPE was asked for)
            self.url = f"http://127.0.0.1:{_port(process.stdout)}"
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """Process id; raises CalibrationError if it does not run."""
        if self._process is None:
            raise CalibrationError("the stub server is not running")
        return self._process.pid

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(pipe: IO[bytes]) -> int:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if not selector.select(_START_SECONDS):
            raise CalibrationError(f"the stub server did not start within {_START_SECONDS:g} s")
    said = pipe.readline().strip()
    if not said.isdigit():
        raise CalibrationError("the stub server ended before it could be used")
    return int(said)
