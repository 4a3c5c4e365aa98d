"""Sessions of the database that wait for each other, or hold a transaction open for nothing."""

from __future__ import annotations

from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import number, quantity
from qa_runner.table import Floats, Mask

__all__ = ["idle_in_transaction", "sessions_waiting"]

_LEAST_SECONDS = 0.2
_MOST_QUOTED = 160
_LONG_SECONDS = 5.0
_EARLIER_SECONDS = 1.0


def sessions_waiting(evidence: Evidence) -> list[Finding]:
    """Sessions that waited for locks while requests were slow."""
    tally = Tally()
    for owner in evidence.owners:
        if _waiting(owner) > 0:
            tally.add(owner, _late(owner))
    if tally.first is None:
        return []
    told = tally.first
    rows = told.series("database")
    longest = known(rows.number("longest_wait_seconds"))
    lasted = f", {quantity(float(longest.max()), 's')} at the longest" if longest.size else ""
    who = next((text for text in rows.text("waits") if text), "")
    return [
        tally.finding(
            rule="sessions-waiting",
            cause=(
                f"{tally.words()} were late or given up while up to {number(_waiting(told))} "
                f"sessions of the database waited for locks{lasted}"
                f"{f' ({who[:_MOST_QUOTED]})' if who else ''}"
            ),
            remedy=(
                "Shorten the transaction that blocks the others: no call of the payment service "
                "inside, rows locked late (select_for_update), and an index on foreign keys."
            ),
        )
    ]


def idle_in_transaction(evidence: Evidence) -> list[Finding]:
    """A transaction that stayed open while its session did nothing, and requests were slow."""
    tally = Tally()
    longest = 0.0
    for owner in evidence.owners:
        idle = _idle_seconds(owner)
        if idle.size and idle.max() >= _LONG_SECONDS and tally.add(owner, _late(owner)):
            longest = max(longest, float(idle.max()))
    if tally.first is None:
        return []
    return [
        tally.finding(
            rule="idle-in-transaction",
            cause=(
                f"a session of the database stood idle in its transaction for "
                f"{quantity(longest, 's')} while {tally.words()} were late or given up"
            ),
            remedy=(
                "Commit before anything slow is done, such as a call of the payment service; "
                "idle_in_transaction_session_timeout ends such sessions."
            ),
        )
    ]


def _idle_seconds(owner: Owner) -> Floats:
    """How long sessions were idle in transactions that began meanwhile: not somebody else's."""
    rows = owner.series("database")
    idle, time = rows.number("longest_idle_in_transaction_seconds"), rows.number("time")
    return known(idle[idle <= time - owner.start + _EARLIER_SECONDS])


def _waiting(owner: Owner) -> float:
    waiting = known(owner.series("database").number("sessions_waiting"))
    return float(waiting.max()) if waiting.size else 0.0


def _late(owner: Owner) -> Mask:
    given_up = owner.samples.text_equals("outcome", "timeout")
    return given_up | (owner.good & (owner.service_seconds >= _LEAST_SECONDS))
