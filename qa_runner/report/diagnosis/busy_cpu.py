"""The server computes as much as it can, under load or still after it."""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import quantity

__all__ = ["busy_after_load", "busy_server"]

_BUSY_PERCENT = 80.0
_LEAST_SECONDS = 0.05


def busy_server(evidence: Evidence) -> list[Finding]:
    """Its workers use all of the CPU that they can while requests are slow."""
    tally = Tally()
    for owner in evidence.owners:
        tally.claim(owner, owner.main, owner.failing("server_cpu"))
        cpu = owner.cpu_percent()
        if cpu is not None and cpu >= _BUSY_PERCENT:
            given_up = owner.samples.text_equals("outcome", "timeout")
            tally.add(owner, given_up | (owner.good & (owner.service_seconds >= _LEAST_SECONDS)))
    if tally.first is None:
        return []
    owner = tally.first
    return [
        tally.finding(
            rule="busy-server",
            cause=(
                f"the server's processes used {_cpu(owner)} during {owner.id}: it computes, and "
                "requests queue for it"
            ),
            remedy=(
                "Profile a request (py-spy record --pid of the server) for what it computes; more "
                "workers spread the rest over more cores."
            ),
        )
    ]


def busy_after_load(evidence: Evidence) -> list[Finding]:
    """CPU stays up when no request is left."""
    explains: dict[str, float] = {}
    first: Owner | None = None
    for owner in evidence.owners:
        failed = owner.failing("server_cpu_from_idle", "busiest_window_after_load")
        if failed and _after(owner).size:
            first = first or owner
            explains |= {result.id: 1.0 for result in failed}
    if first is None:
        return []
    values = _after(first)
    middle, most = quantity(float(np.median(values)), "%"), quantity(float(values.max()), "%")
    return [
        Finding(
            rule="busy-after-load",
            cause=(
                f"after the last answer of {first.id} the server still used {middle} CPU in the "
                f"median and {most} at most: work goes on that no request waits for"
            ),
            remedy=(
                "Look for threads that requests leave behind, tasks without an end, and loops "
                "that poll (py-spy dump --pid of the server names them)."
            ),
            explains=explains,
        )
    ]


def _cpu(owner: Owner) -> str:
    values = known(owner.series("server").number("cpu_percent"))
    if not values.size:
        return "much CPU"
    middle, high = (quantity(float(np.percentile(values, share)), "%") for share in (50, 95))
    return f"{middle} of a core each in the median, {high} at p(95),"


def _after(owner: Owner) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    finished = known(owner.samples.number("finished"))
    if not finished.size:
        return finished
    window = owner.session["server"].between(float(finished.max()) + 0.5, owner.end)
    return known(window.number("cpu_percent"))
