"""Processes of the comparison: on a core of their own, and gone when we are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.job import BenchmarkError

__all__ = ["bound", "end", "finish", "started"]


def bound(command: Sequence[str], *cores: int) -> list[str]:
    """The command, bound to these cores; killed by the kernel when its parent dies."""
    listed = ",".join(str(core) for core in cores)
    return ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", listed, *command]


@contextlib.contextmanager
def started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own that writes ``folder``/stdout and stderr.

    Raises BenchmarkError if it can't be started.
    """
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        try:
            process = subprocess.Popen(  # noqa: S603 (tools named in this package)
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise BenchmarkError(f"{command[0]} could not be started: {error}") from None
        try:
            yield process
        finally:
            end(process)


def finish(process: subprocess.Popen[bytes], folder: Path, seconds: float) -> str:
    """What it printed, when it is done.

    Raises BenchmarkError if it fails or takes longer than ``seconds``.
    """
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"not done after {seconds:g} s") from None
    output = (folder / "stdout").read_text(errors="replace")
    if code:
        said = (folder / "stderr").read_text(errors="replace") or output
        lines = [line for line in said.splitlines() if line.strip()]
        raise BenchmarkError(f"exit code {code}: {lines[-1][:200] if lines else 'no words'}")
    return output


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End a process and those that it started, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
