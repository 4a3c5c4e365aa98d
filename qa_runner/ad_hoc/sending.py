"""Sends the load of an ad-hoc test, and takes in what comes back."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from math import isfinite, nan
from socket import create_connection
from typing import Literal

import psutil

from qa_runner.ad_hoc.masking import Mask
from qa_runner.ad_hoc.options import LoadTest
from qa_runner.calibration import Calibration
from qa_runner.calibration_cache import kept_calibration
from qa_runner.clock import Clock
from qa_runner.errors import GeneratorError, TargetError
from qa_runner.load.endpoint import tls_context
from qa_runner.load.engine import prepare
from qa_runner.load.messages import Progress
from qa_runner.load.process import GeneratorProcess, LoadHandle
from qa_runner.saturation import CPU_LIMIT_PERCENT, saturation
from qa_runner.stop import StopToken
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.targets.url import connect

__all__ = ["Measured", "check_target", "send"]

Watcher = Callable[[Progress, Table, float], None]
"""Called with how far the load is, the samples that have just arrived, secrets masked, and when
the load began, in seconds on the clock.
"""

_POLL_SECONDS = 0.1
_HEALTH_SECONDS = 1.5
"""The generator speaks of itself once a second."""
_LEAST_CPU_SECONDS = 0.1
"""The system counts CPU time in hundredths of a second: in less, a share says nothing."""
_LEAST_BUSY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load came to; times are seconds on ``clock``.

    ``samples`` has the columns of :data:`qa_runner.table.SAMPLES`, ``health`` those of the series
    "generator". ``cpu_percent`` is the generator's over the load, NaN if it was not measured, and
    ``saturated`` says why it was the bottleneck, if it was. ``calibration`` is that of an earlier
    run, if there is one: an ad-hoc load does not wait for it. ``stop_reason`` says why the load did
    not go to its end.
    """

    test: LoadTest
    clock: Clock
    samples: Table
    health: Table
    start: float
    end: float
    cpu_percent: float
    saturated: str
    calibration: Calibration | None
    status: Literal["finished", "interrupted", "crashed", "stopped"] = "finished"
    stop_reason: str = ""


def check_target(test: LoadTest) -> None:
    """See that somebody listens at an approved address, and over https, that we trust them.

    Nothing is sent. Raises TargetError if nobody answers.
    """
    request = prepare(test.plan)
    limits = test.plan.limits
    address = connect(limits.addresses if limits else (), request.host, request.port)
    if request.scheme == "https":
        _shake_hands(address, request.port, request.host, test)


def _shake_hands(address: str, port: int, host: str, test: LoadTest) -> None:
    seconds = test.plan.connect_timeout_seconds
    context = tls_context(verify=test.plan.verify_tls)
    try:
        with create_connection((address, port), timeout=seconds) as plain:
            context.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise TargetError(
            f"the certificate of {host}:{port} is not trusted: {error.verify_message}; "
            "--insecure accepts it"
        ) from None
    except ssl.SSLError as error:
        reason = (error.reason or "handshake failed").replace("_", " ").lower()
        raise TargetError(f"no TLS with {host}:{port}: {reason}; is it http://?") from None
    except TimeoutError:
        raise TargetError(f"no TLS with {host}:{port} within {seconds:g} s") from None
    except OSError as error:
        raise TargetError(f"no TLS with {host}:{port}: {error.strerror or error}") from None


def send(
    test: LoadTest, clock: Clock, stop: StopToken, watch: Watcher, *, health: bool
) -> Measured:
    """Send the load and wait until it has ended, or been stopped through ``stop``.

    With ``health``, also until the generator has spoken of itself, which can take a second more.
    Raises GeneratorError if the generator can't be started; one that ends meanwhile is in the
    result.
    """
    with closing(GeneratorProcess(clock)) as generator:
        generator.start()
        return _Send(test, clock, stop, watch, generator).perform(health=health)


class _Send:
    """One load under way."""

    def __init__(
        self,
        test: LoadTest,
        clock: Clock,
        stop: StopToken,
        watch: Watcher,
        generator: GeneratorProcess,
    ) -> None:
        self._test = test
        self._clock = clock
        self._stop = stop
        self._watch = watch
        self._generator = generator
        self._mask = Mask(test.secrets, keep=test.plan.tag)
        self._start = nan
        self._samples = Table(SAMPLES)
        self._health: list[Table] = []

    def perform(self, *, health: bool) -> Measured:
        """From the first request to the last answer."""
        process = psutil.Process(self._generator.pid)
        cpu_before, start = _cpu_seconds(process), self._clock.now()
        self._start = start
        handle = self._generator.submit(self._test.plan, part="1.1", role="main")
        error = ""
        cpu = nan
        try:
            while not handle.finished:
                if self._stop.event.is_set():
                    handle.stop()
                self._poll(handle)
            end = self._clock.now()
            if end - start >= _LEAST_CPU_SECONDS:
                cpu = 100.0 * (_cpu_seconds(process) - cpu_before) / (end - start)
            if health:
                self._await_health(start, end)
        except GeneratorError as failure:
            error = str(failure)
            end = self._clock.now()
            self._take(handle)
        readings = Table.concatenate(SERIES["generator"], self._health)
        stopped = self._stop.reason if self._stop.event.is_set() else ""
        return Measured(
            test=self._test,
            clock=self._clock,
            samples=self._samples,
            health=readings,
            start=start,
            end=end,
            cpu_percent=cpu,
            saturated=saturation(readings, start, end) or _busy(cpu, end - start),
            calibration=kept_calibration(),
            status=self._status(error),
            stop_reason=error or stopped,
        )

    def _status(self, error: str) -> Literal["finished", "interrupted", "crashed", "stopped"]:
        if error:
            return "crashed"
        if not self._stop.event.is_set():
            return "finished"
        return "stopped" if self._stop.for_safety else "interrupted"

    def _poll(self, handle: LoadHandle) -> None:
        self._generator.poll(_POLL_SECONDS)
        if self._generator.safety_reason:
            self._stop.stop(self._mask.text(self._generator.safety_reason), for_safety=True)
        self._take_health()
        self._take(handle)

    def _take(self, handle: LoadHandle) -> None:
        arrived = self._mask.samples(handle.take())
        if len(arrived):
            # At once: put together at the end, all would be in memory twice.
            self._samples = Table.concatenate(SAMPLES, [self._samples, arrived])
        self._watch(handle.progress, arrived, self._start)

    def _await_health(self, start: float, end: float) -> None:
        """Of a load shorter than a second, wait for the reading that has it in its second."""
        while not any(len(rows.between(start, end)) for rows in self._health):
            if self._stop.event.is_set() or self._clock.now() > end + _HEALTH_SECONDS:
                return
            self._generator.poll(_POLL_SECONDS)
            if self._take_health():
                return

    def _take_health(self) -> bool:
        rows = self._generator.health()
        if len(rows):
            self._health.append(rows)
        return len(rows) > 0


def _busy(cpu_percent: float, seconds: float) -> str:
    """As :func:`saturation`, of a load too short for the generator's readings each second."""
    if seconds < _LEAST_BUSY_SECONDS or not cpu_percent >= CPU_LIMIT_PERCENT:
        return ""
    return f"it used {cpu_percent:.0f} % of a core"


def _cpu_seconds(process: psutil.Process) -> float:
    """User and system time so far; NaN if the process is gone or the system does not tell."""
    try:
        used = process.cpu_times()
    except psutil.Error:
        return nan
    total = float(used.user + used.system)
    return total if isfinite(total) else nan
