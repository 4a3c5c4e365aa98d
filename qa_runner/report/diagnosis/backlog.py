"""More connections came at once than the server's listen backlog holds.

The kernel drops what does not fit, and the client sends its SYN again after 1 s, then 2 s and 4 s
later (RFC 6298, 2.1 and 5.5): connects that take about 1, 3 or 7 s. Others are refused or reset.
"""

from __future__ import annotations

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, address, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import plural
from qa_runner.table import Mask

__all__ = ["backlog_overflow"]

_RESENT_SECONDS = (1.0, 3.0, 7.0, 15.0)
_EARLY_SECONDS = 0.05
_LATE_SECONDS = 0.35
"""How far from these times a connect may lie: timers are coarse, a busy kernel is late."""
_SLOW_SECONDS = 0.5
_MOSTLY = 0.8
_REFUSED = ("connection refused", "connection reset", "connect timeout")


def backlog_overflow(evidence: Evidence) -> list[Finding]:
    """Connects that took as long as a resent SYN, and connects refused by a server that lives."""
    tally = Tally()
    for owner in evidence.owners:
        resent, refused = _resent(owner), _refused(owner)
        if resent.any() or (refused.any() and _took_others(owner)):
            # What was answered in the end failed for what the answer says.
            tally.add(owner, refused | (resent & owner.good), late=resent)
    if tally.first is None:
        return []
    return [
        tally.finding(
            rule="listen-backlog",
            cause=_words(tally.first, "" if _near(evidence) else " or packets were lost"),
            remedy=(
                "Serve with a longer backlog and more workers (gunicorn --backlog 2048; the "
                "system caps it at net.core.somaxconn), or keep connections alive. Django's "
                "development server has a backlog of 10 and is no server for load."
            ),
        )
    ]


def _connect_seconds(owner: Owner) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    samples = owner.samples
    seconds = samples.number("connected") - samples.number("resolved")
    return np.where(samples.number("reused") == 1, np.nan, seconds)


def _resent(owner: Owner) -> Mask:
    """Connects as long as a SYN sent again takes; none if slow connects are of any length."""
    seconds = _connect_seconds(owner)
    slow = seconds > _SLOW_SECONDS
    near = np.zeros(seconds.size, dtype=bool)
    for wait in _RESENT_SECONDS:
        near |= (seconds >= wait - _EARLY_SECONDS) & (seconds <= wait + _LATE_SECONDS)
    # A busy generator or a slow network makes slow connects of every length.
    return near if near.sum() >= _MOSTLY * slow.sum() else np.zeros_like(near)


def _refused(owner: Owner) -> Mask:
    samples = owner.samples
    unanswered: Mask = np.isnan(samples.number("first_byte")) & (samples.number("reused") != 1)
    return unanswered & samples.text_among("error", _REFUSED)


def _took_others(owner: Owner) -> bool:
    """Whether the same process took other connections meanwhile: then it was not down."""
    rows = owner.series("server", before=1.0, after=1.0)
    lived = len(rows) > 0 and bool((rows.number("processes") > 0).all())
    counts = known(rows.number("restarts"))
    same = not counts.size or float(np.ptp(counts)) == 0
    connected = bool(np.isfinite(owner.samples.number("connected")).any())
    at_once = any(load.burst > 1 or "users" in load.shape for load in owner.loads)
    return lived and same and connected and at_once


def _near(evidence: Evidence) -> bool:
    """Whether there is no network between, which could lose a packet."""
    host = address(evidence.run.target.url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _words(owner: Owner, or_else: str) -> str:
    seconds = _connect_seconds(owner)
    resent, refused = _resent(owner), _refused(owner)
    waits = []
    for wait in _RESENT_SECONDS:
        near = resent & (np.abs(seconds - wait) <= _LATE_SECONDS)
        if near.any():
            waits.append(f"{int(near.sum()):,} took about {wait:g} s")
    opened = int(np.isfinite(seconds).sum()) + int(refused.sum())
    said = []
    if waits:
        said.append(f"{' and '.join(waits)} to be accepted, as long as a SYN sent again takes")
    if refused.any():
        others = "" if waits else " while the same process took the others"
        said.append(f"{int(refused.sum()):,} were refused or reset{others}")
    opened_words = plural(opened, "new connection")
    return (
        f"of {opened_words} in {owner.id}, {', and '.join(said)}: the server's listen backlog "
        f"overflowed{or_else}"
    )
