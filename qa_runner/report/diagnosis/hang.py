"""The server stopped answering while its process lived on."""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import plural, quantity, wall_time
from qa_runner.table import Mask

__all__ = ["hung"]

_LEAST = 5
_BUSY_PERCENT = 80.0


def hung(evidence: Evidence) -> list[Finding]:
    """From some moment on every request of the session timed out, to the end."""
    tally = Tally()
    since, count = 0.0, 0
    for session in {owner.attempt.session for owner in evidence.parts}:
        mine = [owner for owner in evidence.owners if owner.attempt.session == session]
        last = max((_last_answer(owner) for owner in mine), default=-np.inf)
        timeouts = sum(int(_begun_after(owner, last).sum()) for owner in mine if owner.is_part)
        if timeouts < _LEAST or not _alive(mine[-1]):
            continue
        for owner in mine:
            tally.add(owner, _after(owner, last))
        since, count = last, timeouts
    if tally.first is None:
        return []
    owner = tally.first
    if np.isfinite(since):
        when = wall_time(evidence.source.session(owner.attempt.session), since)
        text = f"after {when} no request was answered any more"
    else:
        text = "no request was ever answered"
    return [
        tally.finding(
            rule="hung",
            cause=f"{text}: {plural(count, 'request')} timed out while the server's process "
            f"lived on{_cpu(owner, since)}, so it hangs",
            remedy=(
                "See what every worker waits for (py-spy dump --pid of the server shows it): a "
                "lock, an empty connection pool, or a payment provider that is called without a "
                "timeout."
            ),
        )
    ]


def _last_answer(owner: Owner) -> float:
    answered = owner.samples.number("status") > 0
    times = known(owner.samples.number("finished")[answered])
    return float(times.max()) if times.size else -np.inf


def _after(owner: Owner, moment: float) -> Mask:
    """Timeouts that were not over by a moment."""
    timeouts = owner.samples.text_equals("outcome", "timeout")
    return timeouts & ~(owner.samples.number("finished") <= moment)


def _begun_after(owner: Owner, moment: float) -> Mask:
    """Timeouts that began later: the last of a burst that is too much wait no longer than that."""
    return _after(owner, moment) & ~(owner.samples.number("started") <= moment)


def _alive(last: Owner) -> bool:
    processes = known(last.session["server"].number("processes"))
    return bool(processes.size) and processes[-1] > 0


def _cpu(owner: Owner, since: float) -> str:
    values = known(owner.session["server"].between(since, np.inf).number("cpu_percent"))
    if not values.size:
        return ""
    middle = float(np.median(values))
    doing = "busy" if middle >= _BUSY_PERCENT else "idle"
    return f", {doing} at {quantity(middle, '%')} CPU"
