"""The process that sends load: ``python -m qa_runner.load.generator``.

Commands come as frames on stdin, reports go as frames to stdout. It ends when stdin does, so it
never outlives the process that started it. Nothing is drawn, judged or written to disk here:
whatever else the tool does, it does not delay a send.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import traceback
from collections.abc import Callable
from time import monotonic, process_time
from typing import Any, NoReturn

from qa_runner.load.engine import ActiveLoad
from qa_runner.load.event_loop import new_event_loop
from qa_runner.load.frames import FrameBuffer, pack_frame
from qa_runner.load.guard import Guard
from qa_runner.load.lifeline import end_with
from qa_runner.load.limits import Limits
from qa_runner.load.messages import (
    Command,
    Finished,
    Health,
    Ready,
    Report,
    Samples,
    Stop,
    Submit,
    decode_command,
    encode,
)
from qa_runner.load.plan import LoadPlan
from qa_runner.redaction import know_secrets

__all__ = ["Generator", "main"]

FLUSH_SECONDS = 0.1
HEALTH_SECONDS = 1.0
LAG_PROBE_SECONDS = 0.02
_CRASHED = 70


class Generator:
    """The loads that are being sent, and what is said about them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, write: Callable[[bytes], object]) -> None:
        self._loop = loop
        self._write = write
        self._loads: dict[int, ActiveLoad] = {}
        self._guards: dict[Limits, Guard] = {}
        self._commands = FrameBuffer()
        self._lag = 0.0
        self._probe_due = 0.0
        self._health_time = monotonic()
        self._health_cpu = process_time()

    def start(self) -> None:
        """Say that commands can come, and begin to watch itself."""
        self._report(Ready(event_loop=type(self._loop).__module__.partition(".")[0]))
        self._loop.call_later(HEALTH_SECONDS, self._tell_health)
        self._probe_lag()

    def receive(self, data: bytes) -> None:
        """Take commands as they arrive, in any pieces."""
        for message, _ in self._commands.feed(data):
            self._obey(decode_command(message))

    def _obey(self, command: Command) -> None:
        match command:
            case Submit(plan=plan, secrets=secrets):
                know_secrets(secrets)
                self._submit(plan)
            case Stop(load=number):
                if number in self._loads:
                    self._loads[number].stop()

    def _submit(self, plan: LoadPlan) -> None:
        try:
            load = ActiveLoad(self._loop, plan, self._end, self._guard(plan.limits))
            self._loads[plan.number] = load
            if len(self._loads) == 1:
                self._loop.call_later(FLUSH_SECONDS, self._flush_regularly)
            load.start()
        except OSError as error:
            # Those of connections are recorded with them; this one would leave a load that hangs.
            raise RuntimeError(f"the load could not be started: {error}") from error

    def _guard(self, limits: Limits | None) -> Guard | None:
        """The guard of all loads with these limits."""
        if limits is None:
            return None
        if limits not in self._guards:
            # Not at once: a load that is just about to send must have sent before it is stopped.
            self._guards[limits] = Guard(limits, lambda: self._loop.call_soon(self._stop_guarded))
        return self._guards[limits]

    def _stop_guarded(self) -> None:
        for load in list(self._loads.values()):
            if load.guard is not None and load.guard.reason:
                load.stop()

    def _end(self, number: int) -> None:
        load = self._loads.pop(number)
        self._send_samples(load)
        safety = load.guard.reason if load.guard is not None else ""
        self._report(Finished(load=number, stop_reason=load.stop_reason, safety=safety))

    def _flush_regularly(self) -> None:
        self.flush()
        if self._loads:
            self._loop.call_later(FLUSH_SECONDS, self._flush_regularly)

    def flush(self) -> None:
        """Send the samples that there are."""
        for load in self._loads.values():
            self._send_samples(load)

    def _send_samples(self, load: ActiveLoad) -> None:
        packed, texts = load.samples.drain()
        report = Samples(load=load.plan.number, progress=load.progress(), texts=texts)
        self._report(report, packed)

    def _report(self, report: Report, payload: bytes = b"") -> None:
        self._write(pack_frame(encode(report), payload))

    def _probe_lag(self) -> None:
        now = monotonic()
        if self._probe_due:
            self._lag = max(self._lag, now - self._probe_due)
        self._probe_due = now + LAG_PROBE_SECONDS
        self._loop.call_later(LAG_PROBE_SECONDS, self._probe_lag)

    def _tell_health(self) -> None:
        now, cpu = monotonic(), process_time()
        elapsed = now - self._health_time
        self._report(
            Health(
                time=now,
                cpu_percent=100.0 * (cpu - self._health_cpu) / elapsed,
                loop_lag_seconds=self._lag,
                in_flight=sum(load.in_flight for load in self._loads.values()),
            )
        )
        self._health_time, self._health_cpu, self._lag = now, cpu, 0.0
        self._loop.call_later(HEALTH_SECONDS, self._tell_health)


class _CommandPipe(asyncio.Protocol):
    """stdin: hands on what arrives, and says when it has ended."""

    def __init__(self, received: Callable[[bytes], None], ended: asyncio.Event) -> None:
        self._received = received
        self._ended = ended

    def data_received(self, data: bytes) -> None:
        self._received(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the base's name)
        self._ended.set()


class _ReportPipe(asyncio.BaseProtocol):
    """stdout: only says when nobody reads any more."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the base's name)
        self._ended.set()


async def _serve(commands: int, reports: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    transport, _ = await loop.connect_write_pipe(
        lambda: _ReportPipe(ended), os.fdopen(reports, "wb", buffering=0)
    )
    generator = Generator(loop, transport.write)
    loop.set_exception_handler(lambda _, context: _crash_on_ours(context))
    generator.start()
    await loop.connect_read_pipe(
        lambda: _CommandPipe(generator.receive, ended), os.fdopen(commands, "rb", buffering=0)
    )
    await ended.wait()


def _crash_on_ours(context: dict[str, Any]) -> None:
    """End at an error of the engine's own: numbers after it could not be trusted.

    What happens to a single connection, such as a TLS alert, is an OSError and is recorded with
    its request.
    """
    error = context.get("exception")
    if error is None or isinstance(error, OSError):
        return
    if isinstance(error, Exception):
        traceback.print_exception(error)
    _exit(_CRASHED)


def _exit(code: int) -> NoReturn:
    # At once: neither look-ups in threads nor connections to a hung server may hold it up.
    sys.stderr.flush()
    os._exit(code)


def _allow_many_files() -> None:
    """Raise the limit of open files as far as is allowed: each connection is one."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 (not on every platform)

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tune_collector() -> None:
    """Keep pauses short: what was loaded is never looked at again, and young objects rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def main() -> NoReturn:
    """Run until stdin ends."""
    # A stray print must not end up between the frames.
    commands, reports = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    end_with(commands)
    _allow_many_files()
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    _tune_collector()
    code = 0
    try:
        loop.run_until_complete(_serve(commands, reports))
    except KeyboardInterrupt:
        code = 130
    except Exception:  # noqa: BLE001 (told to the parent in any case)
        traceback.print_exc()
        code = _CRASHED
    _exit(code)


if __name__ == "__main__":
    main()
