"""The load generator by its calibration, and how close the loads of a run came to its limits."""

from __future__ import annotations

from qa_runner.calibration import Calibration, Capacity
from qa_runner.report.format import moment, number, plural, quantity
from qa_runner.result import RunResult

__all__ = ["calibration_facts", "cautions", "in_words"]

_CALIBRATION = "Calibration of the load generator"


def calibration_facts(run: RunResult) -> list[tuple[str, str]]:
    """What this machine adds to a time and can send; of each session that measured it anew."""
    measured: dict[str, Calibration] = {}
    of: dict[str, list[int]] = {}
    for session in run.sessions:
        if session.calibration is not None:
            measured.setdefault(session.calibration.measured, session.calibration)
            of.setdefault(session.calibration.measured, []).append(session.id)
    if not measured:
        return [(_CALIBRATION, "not calibrated; qa-runner calibrate does it")]
    facts = []
    for when, found in measured.items():
        listed = ", ".join(map(str, of[when]))
        which = f" (session {listed})" if len(measured) > 1 else ""
        facts += [(f"{label}{which}", text) for label, text in in_words(found)]
    return facts


def in_words(found: Calibration) -> list[tuple[str, str]]:
    """A calibration in words: label and text of each thing that it found."""
    middle = quantity(found.overhead_p50_seconds, "s")
    high = quantity(found.overhead_p99_seconds, "s")
    late = quantity(found.lateness_p99_seconds, "s")
    kept = ", kept from an earlier run" if found.from_cache else ""
    adds = (
        f"{middle} at the median, {high} at p(99): {plural(found.users, 'user')} against a stub "
        f"on this machine that takes {quantity(found.stub_delay_seconds, 's')}, "
        f"{plural(found.overhead_requests, 'request')}"
    )
    sends = (
        f"at least {_capacity(found.keep_alive)} on kept connections, "
        f"{_capacity(found.new_connections)} with a new connection each"
    )
    return [
        ("What the load generator adds to a response time", adds),
        (
            "Its lateness at a constant arrival rate",
            f"p(99) {late} at {found.arrival_rate:g} req/s",
        ),
        ("What it can send", sends),
        (_CALIBRATION, f"{moment(found.measured)}, {found.event_loop}{kept}"),
    ]


def _capacity(found: Capacity) -> str:
    rate = number(float(f"{found.requests_per_second:.2g}"))
    cpu = 1e6 * found.cpu_seconds_per_request
    return f"{rate} req/s" + (f" ({number(cpu, 2)} µs of CPU each)" if cpu else "")


def cautions(run: RunResult) -> list[str]:
    """A sentence for each load of the latest attempts that came close to what can be sent."""
    return [
        f"{part.id}, {load.shape}: {load.caution}"
        for step in run.steps
        for part in (step.latest.parts if step.latest else [])
        for load in part.loads
        if load.caution
    ]
