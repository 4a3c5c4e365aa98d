"""Requests that wait for something while the server hardly computes: answered late, or never."""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.crowd import crowded
from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import quantity
from qa_runner.table import Floats, Mask

__all__ = ["unanswered", "waiting"]

_LEAST_SECONDS = 0.2
_IDLE_PERCENT = 50.0
_REMEDY = (
    "Look for what the request waits on: a lock, the payment provider, or too few workers. With "
    "the middleware of qa_runner.contrib.django the report splits its time."
)


def unanswered(evidence: Evidence) -> list[Finding]:
    """Given up after the timeout while the server's CPU was idle, and nothing says for what."""
    tally = Tally()
    for owner in _idle(evidence):
        tally.add(owner, _given_up(owner))
    if tally.first is None or tally.mask is None:
        return []
    return [
        tally.finding(
            rule="unanswered",
            cause=(
                f"{tally.words()} got no response {_within(tally.first, tally.mask)}, while "
                f"{_waited(tally.first)}"
            ),
            remedy=_REMEDY,
        )
    ]


def waiting(evidence: Evidence) -> list[Finding]:
    """Answered, but late, while the server's CPU was idle, and nothing says for what."""
    tally = Tally()
    for owner in _idle(evidence):
        tally.add(owner, _late(owner))
    if tally.first is None or tally.mask is None:
        return []
    took = float(np.median(known(tally.first.service_seconds[tally.mask])))
    return [
        tally.finding(
            rule="waiting",
            cause=(
                f"{tally.words()} took {quantity(took, 's')} in the median while "
                f"{_waited(tally.first)}"
            ),
            remedy=_REMEDY,
        )
    ]


def _idle(evidence: Evidence) -> list[Owner]:
    """Those during which the server's CPU is known to have been idle."""
    read = [(owner, owner.cpu_percent()) for owner in evidence.owners]
    return [owner for owner, cpu in read if cpu is not None and cpu < _IDLE_PERCENT]


def _given_up(owner: Owner) -> Mask:
    samples = owner.samples
    # Before it was connected it waited for the kernel.
    mask: Mask = samples.text_equals("outcome", "timeout")
    return mask & np.isfinite(samples.number("connected"))


def _late(owner: Owner) -> Mask:
    samples = owner.samples
    # Before it was started it waited for the generator, before it was connected for the kernel.
    served: Floats = samples.number("finished") - samples.number("connected")
    reused = samples.number("reused") == 1
    served = np.where(reused, owner.service_seconds, served)
    mask: Mask = owner.good & (served >= _LEAST_SECONDS)
    return mask


def _within(owner: Owner, mask: Mask) -> str:
    """The timeout of these requests, in no number where their loads had several."""
    loads = set(owner.samples.number("load")[mask].tolist())
    timeouts = {load.timeout_seconds for load in owner.loads if load.number in loads}
    return f"within {quantity(timeouts.pop(), 's')}" if len(timeouts) == 1 else "in time"


def _waited(owner: Owner) -> str:
    return (
        f"the server used {quantity(owner.cpu_percent(), '%')} CPU: they waited rather than "
        f"computed{crowded(owner, ', unless for a core: ')}"
    )
