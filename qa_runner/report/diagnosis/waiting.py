"""Requests that take long while the server hardly computes: they wait for something."""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.crowd import crowded
from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import quantity
from qa_runner.table import Floats, Mask

__all__ = ["waiting"]

_LEAST_SECONDS = 0.2
_IDLE_PERCENT = 50.0


def waiting(evidence: Evidence) -> list[Finding]:
    """Slow or given up while the server's CPU was idle, and nothing says for what."""
    tally = Tally()
    for owner in evidence.owners:
        tally.add(owner, _waits(owner))
    if tally.first is None or tally.mask is None:
        return []
    cpu = tally.first.cpu_percent()
    took = float(np.median(known(tally.first.service_seconds[tally.mask])))
    return [
        tally.finding(
            rule="waiting",
            cause=(
                f"{tally.words()} took {quantity(took, 's')} in the median while the server used "
                f"{quantity(cpu, '%')} CPU: they waited rather than computed"
                f"{crowded(tally.first, ', unless for a core: ')}"
            ),
            remedy=(
                "Look for what the request waits on: a lock, the payment provider, or too few "
                "workers. With the middleware of qa_runner.contrib.django the report splits its "
                "time."
            ),
        )
    ]


def _waits(owner: Owner) -> Mask:
    samples = owner.samples
    cpu = owner.cpu_percent()
    if cpu is None or cpu >= _IDLE_PERCENT:
        return np.zeros(len(samples), dtype=bool)
    given_up = samples.text_equals("outcome", "timeout") & np.isfinite(samples.number("connected"))
    # Before it was started it waited for the generator, before it was connected for the kernel.
    served: Floats = samples.number("finished") - samples.number("connected")
    reused = samples.number("reused") == 1
    served = np.where(reused, owner.service_seconds, served)
    mask: Mask = given_up | (owner.good & (served >= _LEAST_SECONDS))
    return mask
