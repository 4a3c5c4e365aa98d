"""Measures the load generator itself: what it adds to a time, how punctual it is, what it can send.

Three kinds of load, each of a second at most, go through the run's own generator process
to a stub on loopback (stub.py) that says how long it took itself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import monotonic

import numpy as np

from qa_runner.calibration import Calibration, Capacity
from qa_runner.errors import CalibrationError
from qa_runner.estimate import percentile
from qa_runner.load.plan import (
    ConstantArrivalRate,
    LoadPlan,
    Outcome,
    RequestTemplate,
    Shape,
    VirtualUsers,
)
from qa_runner.load.process import GeneratorProcess
from qa_runner.load.stub_process import StubProcess
from qa_runner.stop import StopToken
from qa_runner.table import Floats, Table

__all__ = ["CALIBRATION_SECONDS", "calibrate"]

CALIBRATION_SECONDS = 4.0
"""About what it takes, with the start of the stub."""
DELAY_SECONDS = 0.02
USERS = 50
RATE = 500.0
_SECONDS = 1.0
_CAPACITY_USERS = 20
_CAPACITY_SECONDS = 0.5
_DEADLINE_SECONDS = 20.0
_POLL_SECONDS = 0.1
_LEAST_SAMPLES = 20


def calibrate(generator: GeneratorProcess, stop: StopToken) -> Calibration:
    """Measure a generator that sends nothing else meanwhile.

    Its loads have the numbers -1 to -4, so a generator can be calibrated once. Raises
    CalibrationError if it cannot be measured, GeneratorError if it has ended, StopRequested.
    """
    with StubProcess() as stub:
        bench = _Bench(generator, stop, stub.url)
        overhead = _overhead(bench)
        lateness = _lateness(bench)
        keep_alive = _capacity(bench, "keep-alive")
        new_connections = _capacity(bench, "new")
    # Readings of this are none of a run's.
    generator.health()
    return Calibration(
        measured=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        event_loop=generator.event_loop,
        stub_delay_seconds=DELAY_SECONDS,
        users=USERS,
        overhead_requests=overhead.size,
        overhead_p50_seconds=percentile(overhead, 50),
        overhead_p99_seconds=percentile(overhead, 99),
        arrival_rate=RATE,
        lateness_requests=lateness.size,
        lateness_p99_seconds=percentile(lateness, 99),
        keep_alive=keep_alive,
        new_connections=new_connections,
    )


class _Bench:
    """Sends one load after the other to the stub."""

    def __init__(self, generator: GeneratorProcess, stop: StopToken, url: str) -> None:
        self.generator = generator
        self._stop = stop
        self._url = url
        self._number = 0

    def send(self, shape: Shape, path: str, connections: str, *, took: bool = False) -> Table:
        """Send a load to its end; its samples. ``took`` keeps what the stub says of itself."""
        self._number -= 1
        plan = LoadPlan(
            number=self._number,
            shape=shape,
            request=RequestTemplate(
                method="POST",
                url=self._url + path,
                headers=(("Content-Type", "application/json"),),
                body='{"request": {i}, "of": "{tag}"}',
                extract=(("took", "took"),) if took else (),
            ),
            tag="calibration",
            connections="keep-alive" if connections == "keep-alive" else "new",
        )
        handle = self.generator.submit(plan, part="calibration", role="calibration")
        deadline = monotonic() + _DEADLINE_SECONDS
        while not handle.finished:
            if monotonic() > deadline:
                handle.stop()
                raise CalibrationError(
                    f"a load of {_SECONDS:g} s took more than {_DEADLINE_SECONDS:g} s; is this "
                    "machine overloaded?"
                )
            self._stop.check()
            self.generator.poll(_POLL_SECONDS)
        samples = handle.take()
        succeeded = samples.where(samples.text_equals("outcome", str(Outcome.SUCCESS)))
        if len(succeeded) < _LEAST_SAMPLES:
            raise CalibrationError(
                f"only {len(succeeded)} of {len(samples)} requests to the stub server on "
                f"127.0.0.1 succeeded{_first_error(samples)}"
            )
        return succeeded


def _first_error(samples: Table) -> str:
    said = next(filter(None, samples.text("error")), "")
    return f": {said}" if said else ""


def _overhead(bench: _Bench) -> Floats:
    """Response times beyond what the stub took, in seconds; shape (n,)."""
    shape = VirtualUsers(users=USERS, duration_seconds=_SECONDS)
    path = f"/after/{1000 * DELAY_SECONDS:g}"
    samples = bench.send(shape, path, "keep-alive", took=True)
    # Opening the connections is not what is asked here.
    samples = samples.where(samples.number("reused") == 1)
    took = [float(json.loads(text)["took"]) for text in samples.text("extracted")]
    values = samples.number("finished") - samples.number("due") - np.array(took)
    return _enough(values)


def _lateness(bench: _Bench) -> Floats:
    """How late requests start at a constant rate, in seconds; shape (n,)."""
    shape = ConstantArrivalRate(rate=RATE, duration_seconds=_SECONDS)
    samples = bench.send(shape, "/", "keep-alive")
    return _enough(samples.number("started") - samples.number("due"))


def _enough(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    if known.size < _LEAST_SAMPLES:
        raise CalibrationError(f"only {known.size} requests to the stub server could be timed")
    return known


def _capacity(bench: _Bench, connections: str) -> Capacity:
    shape = VirtualUsers(users=_CAPACITY_USERS, duration_seconds=_CAPACITY_SECONDS)
    before = bench.generator.cpu_seconds()
    samples = bench.send(shape, "/", connections)
    after = bench.generator.cpu_seconds()
    used = 0.0 if before is None or after is None else after - before
    seconds = float(np.nanmax(samples.number("finished")) - np.nanmin(samples.number("due")))
    return Capacity(
        requests=len(samples),
        requests_per_second=len(samples) / max(seconds, 1e-6),
        cpu_seconds_per_request=used / len(samples),
    )
