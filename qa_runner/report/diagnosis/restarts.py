"""The server's process ended while the run went on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.log_text import without_head
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import plural, quantity, wall_time
from qa_runner.table import Mask
from qa_runner.verdict import Verdict

__all__ = ["restarted"]

_BEFORE_SECONDS = 1.0
_AFTER_SECONDS = 1.5
"""Around a restart, requests are lost before a reading shows it and after the port is open."""
_LOST = ("connection error", "timeout", "other")
_OF_A_PROXY = (502, 503, 504)
"""What a proxy answers for a server that is not there; other errors come from one that is."""


@dataclass(frozen=True)
class _Restart:
    """``end`` is the first reading without the old process, ``back`` the first with a new one."""

    before: float
    end: float
    back: float | None
    gone: str
    came: str


def restarted(evidence: Evidence) -> list[Finding]:
    """Where processes of the server ended, how long nobody answered, and what was lost."""
    tally = Tally()
    explains: dict[str, float] = {}
    places: dict[tuple[int, float], tuple[Owner, _Restart]] = {}
    for owner in evidence.owners:
        found = _restarts(owner)
        if not found:
            continue
        for each in found:
            key = owner.attempt.session, each.end
            # Rather the part in which it happened than one that was over just before.
            if key not in places or (owner.is_part and owner.start <= each.end <= owner.end):
                places[key] = owner, each
        tally.add(owner, _lost(owner, found))
        explains |= {result.id: 1.0 for result in owner.failing("server_restarts")}
        explains |= {
            result.id: 1.0
            for result in owner.results
            if result.verdict is Verdict.INCONCLUSIVE and "restarted" in result.reason
        }
    explains = {**tally.explains, **explains}
    if not explains:
        return []
    seen = list(places.values())
    return [
        Finding(
            rule="restart",
            cause=_words(evidence, seen, tally),
            remedy=_remedy(evidence),
            explains=explains,
            requests=tally.requests,
            evidence=seen[0][0].anchor,
        )
    ]


def _restarts(owner: Owner) -> list[_Restart]:
    """Those from which an owner suffered; the server may have ended before it began."""
    rows = owner.session["server"]
    times, counts = rows.number("time"), rows.number("restarts")
    pids, processes = rows.text("pids"), rows.number("processes")
    found = []
    for index in (np.flatnonzero(np.diff(counts) > 0) + 1).tolist():
        later = np.flatnonzero(processes[index:] > 0)
        back = index + int(later[0]) if later.size else None
        until = np.inf if back is None else times[back] + _AFTER_SECONDS
        if times[index - 1] - _BEFORE_SECONDS > owner.end or until < owner.start:
            continue
        old = set(pids[index - 1].split())
        new = set(pids[back].split()) if back is not None else set()
        found.append(
            _Restart(
                before=float(times[index - 1]),
                end=float(times[index]),
                back=None if back is None else float(times[back]),
                gone=", ".join(sorted(old - new)),
                came=", ".join(sorted(new - old)),
            )
        )
    return found


def _lost(owner: Owner, restarts: list[_Restart]) -> Mask:
    """Requests that ended without success around a restart."""
    samples = owner.samples
    finished, due = samples.number("finished"), samples.number("due")
    times = np.where(np.isfinite(finished), finished, due)
    near = np.zeros(len(samples), dtype=bool)
    for restart in restarts:
        back = owner.end if restart.back is None else restart.back
        near |= (times >= restart.before - _BEFORE_SECONDS) & (times <= back + _AFTER_SECONDS)
    unanswered = samples.text_among("outcome", _LOST)
    unanswered |= np.isin(samples.number("status"), _OF_A_PROXY)
    lost: Mask = near & unanswered
    return lost


def _words(evidence: Evidence, seen: list[tuple[Owner, _Restart]], tally: Tally) -> str:
    owner, first = seen[0]
    when = wall_time(evidence.source.session(owner.attempt.session), first.end)
    process = f"process {first.gone} of the server" if first.gone else "a process of the server"
    if first.back is None:
        then = " and none was seen to take its place"
    elif first.back > first.end:
        away = quantity(first.back - first.end, "s")
        then = f" and process {first.came} took its place {away} later"
    else:
        then = f" and process {first.came} took its place at once" if first.came else ""
    text = f"{process} ended at {when} during {owner.id}{then}"
    if tally.first is not None:
        text += f"; {tally.words()} {tally.were()} lost meanwhile"
    if len(seen) > 1:
        text += f"; in all, that happened {plural(len(seen), 'time')}"
    logged = _last_error(owner, first)
    return text + (f"; the server log says \u201c{logged}\u201d" if logged else "")


def _last_error(owner: Owner, restart: _Restart) -> str:
    log = owner.session["log"].between(restart.before - 2, restart.end + 1)
    errors = log.where(log.text_among("level", ("ERROR", "CRITICAL"))).text("text")
    return without_head(errors[-1]) if errors else ""


def _remedy(evidence: Evidence) -> str:
    remedy = (
        "Look at the end of the server's log for why it ended: a crash, the system's memory "
        "limit, a worker timeout"
    )
    if _runs_runserver(evidence):
        return f"{remedy}, or a changed file: Django's runserver restarts then without --noreload."
    return f"{remedy}, or a new release meanwhile."


def _runs_runserver(evidence: Evidence) -> bool:
    """Whether a command of the server is that of the development server, with its reloader."""
    run = evidence.run
    tables = (
        table
        for step in run.steps
        for part in (step.latest.parts if step.latest else [])
        for table in part.tables
        if table.name == "server"
    )
    commands = [str(cell) for table in tables for row in table.rows for cell in row]
    # The table is that of one part; the check was made before any.
    commands += [check.text for check in run.checks if check.id == "server-process"]
    return any("runserver" in text and "--noreload" not in text for text in commands)
