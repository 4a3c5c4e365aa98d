"""The server becomes slower with each request, or stays slow after a load."""

from __future__ import annotations

import numpy as np

from qa_runner.estimate import theil_sen
from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.format import plural, quantity
from qa_runner.report.source import response_seconds
from qa_runner.table import Floats

__all__ = ["degradation", "slow_recovery"]

_LEAST_REQUESTS = 8
_LEAST_RISE = 0.5
_LEAST_SECONDS = 0.03
_STEADY = ("one at a time", "constant arrival rate")
"""Loads under which no request waits for another: in a burst the later ones are slower."""
_MOSTLY = 0.8
_IDLE_PERCENT = 20.0
_AFTER = ("recovery_time", "response_time_over_band", "response_time")


def degradation(evidence: Evidence) -> list[Finding]:
    """Response times rise steadily over a load in which no request waits for another."""
    explains: dict[str, float] = {}
    told: tuple[Owner, float, float, int] | None = None
    for owner in evidence.owners:
        failed = owner.failing("response_time", "service_time", "time_to_first_byte")
        rise = _rise(owner) if failed else None
        if rise is not None:
            told = told or (owner, *rise)
            explains |= {result.id: 1.0 for result in failed}
    if told is None:
        return []
    owner, first, last, count = told
    return [
        Finding(
            rule="degradation",
            cause=(
                f"requests became slower with each one: {quantity(first, 's')} at the beginning of "
                f"{owner.id}, {quantity(last, 's')} at its end, {plural(count, 'request')} later"
                f"{_in_database(owner, last - first)}"
            ),
            remedy=(
                "Look for what grows with each request: rows that are scanned without an index, "
                "lists and files that are read as a whole, connections left open."
            ),
            explains=explains,
        )
    ]


def _rise(owner: Owner) -> tuple[float, float, int] | None:
    steady = [load.number for load in owner.loads if any(shape in load.shape for shape in _STEADY)]
    samples = owner.samples.where(
        owner.main & owner.good & np.isin(owner.samples.number("load"), steady)
    )
    seconds = samples.number("finished") - samples.number("started")
    seconds = seconds[np.argsort(samples.number("due"), kind="stable")]
    if seconds.size < _LEAST_REQUESTS:
        return None
    slope, intercept, low, _ = theil_sen(np.arange(float(seconds.size)), seconds)
    first, last = max(intercept, 0.0), intercept + slope * (seconds.size - 1)
    if low <= 0 or last - first < max(_LEAST_RISE * first, _LEAST_SECONDS):
        return None
    return first, last, int(seconds.size)


def _in_database(owner: Owner, rise: float) -> str:
    """That the database took most of a rise of so many seconds, where that is known."""
    seconds = owner.samples.number("database_seconds")
    seconds = seconds[np.argsort(owner.samples.number("due"), kind="stable")]
    seconds = seconds[np.isfinite(seconds)]
    if seconds.size < _LEAST_REQUESTS:
        return ""
    slope = theil_sen(np.arange(float(seconds.size)), seconds)[0]
    share = slope * (seconds.size - 1) / rise
    if share >= _MOSTLY:
        return ", nearly all of it in the database"
    return ", hardly any of it in the database" if share <= 1 - _MOSTLY else ""


def slow_recovery(evidence: Evidence) -> list[Finding]:
    """Single requests after a heavy load succeed, and take much longer than before it."""
    for owner in evidence.parts:
        failed = owner.failing(*_AFTER)
        heavy = owner.samples.text_equals("role", "heavy")
        if not failed or not heavy.any():
            continue
        after = owner.samples.where(~heavy)
        good = after.where(after.text_equals("outcome", "success"))
        usual = _usual(evidence)
        if usual is None:
            continue
        times = response_seconds(good)
        over = times[times > usual]
        if over.size <= len(after) - len(good):
            # Errors after the load have another cause than slowness.
            continue
        if 2 * over.size < times.size and not owner.failing("recovery_time"):
            continue
        return [_slow(owner, times, usual, [result.id for result in failed])]
    return []


def _slow(owner: Owner, times: Floats, usual: float, failed: list[str]) -> Finding:
    middle, most = quantity(float(np.median(times)), "s"), quantity(float(times.max()), "s")
    ended = known(owner.samples.number("finished")[owner.samples.text_equals("role", "heavy")])
    lasted = owner.end - float(ended.max()) if ended.size else 0.0
    values = known(
        owner.session["server"].between(owner.end - lasted, owner.end).number("cpu_percent")
    )
    left = "is still at work on what the load left behind"
    cpu = ""
    if values.size:
        busy = float(np.median(values))
        cpu = f"; its CPU was at {quantity(busy, '%')}"
        if busy < _IDLE_PERCENT:
            left = "still waits for what the load left behind, such as locks or a queue"
    return Finding(
        rule="slow-recovery",
        cause=(
            f"in the {quantity(lasted, 's')} after the heavy load of {owner.id} single requests "
            f"took {middle} in the median and {most} at most, with up to {quantity(usual, 's')} "
            f"being normal{cpu}: the server {left}"
        ),
        remedy=(
            "Bound what is queued: fewer connections waiting, a limit on background work, and no "
            "work for requests whose client has gone."
        ),
        explains=dict.fromkeys(failed, 1.0),
    )


def _usual(evidence: Evidence) -> float | None:
    """The response time in seconds up to which the step called a request normal."""
    for step in evidence.run.steps:
        for part in step.latest.parts if step.latest else []:
            for table in part.tables:
                if table.name == "band" and table.rows and "band s" in table.columns:
                    value = table.rows[0][table.columns.index("band s")]
                    return float(value) if isinstance(value, int | float) else None
    return None
