"""The payment provider is slow, or refuses."""

from __future__ import annotations

import re

import numpy as np

from qa_runner.report.diagnosis.crowd import crowded
from qa_runner.report.diagnosis.evidence import Evidence, Owner, known
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.said import said
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import quantity
from qa_runner.table import Floats, Mask

__all__ = ["provider_errors", "slow_provider"]

_LEAST_SECONDS = 0.2
_LITTLE = 0.2
"""Share of the application's time up to which the database is not what it waits for."""
_MOSTLY = 0.5
_IDLE_PERCENT = 50.0
_PROVIDER = re.compile(
    r"stripe|paypal|adyen|braintree|mollie|(?:payment|intent).{0,40}provider|ProviderUnavailable"
    r"|provider.{0,60}(?:no answer|timed? ?out|unavailable|did not answer)",
    re.IGNORECASE,
)
_REMEDY = (
    "Measure the payment provider's own answers; give its calls a timeout for connect and total, "
    "and keep them outside of database transactions."
)


def slow_provider(evidence: Evidence) -> list[Finding]:
    """The application's time without the database's, on an idle CPU.

    What was given up is counted where most of the session that was answered late is such, and
    took about as long: an owner in which nothing was answered shows it as well then.
    """
    tally = Tally()
    elsewhere = {owner.id: _elsewhere(owner) for owner in evidence.owners}
    longest = _longest_seconds(evidence, elsewhere)
    # Those that show where the time went are told.
    for owner in sorted(evidence.owners, key=lambda owner: not elsewhere[owner.id].any()):
        given_up = _given_up(owner, longest.get(owner.attempt.session, 0.0))
        tally.add(owner, elsewhere[owner.id] | given_up)
    if tally.first is None:
        return []
    told = _shown(evidence, tally.first, elsewhere)
    answered = elsewhere[told.id]
    all_answered = all(
        bool(owner.good[tally.requests[owner.id]].all())
        for owner in evidence.owners
        if owner.id in tally.requests
    )

    def middle(values: Floats) -> str:
        return quantity(float(np.median(known(values[answered]))), "s")

    application = middle(told.samples.number("application_seconds"))
    database = middle(np.nan_to_num(told.samples.number("database_seconds")))
    cpu = told.cpu_percent()
    idle = "" if cpu is None else f" and the server's CPU was at {quantity(cpu, '%')}"
    took = "took" if all_answered else f"were late or given up; those answered in {told.id} took"
    return [
        tally.finding(
            rule="slow-provider",
            cause=(
                f"{tally.words()} {took} {middle(told.service_seconds)} in the median, of which "
                f"the application had {application} and the database only {database}{idle}: it "
                "waits for something outside, most likely the payment provider"
                f"{crowded(told, ', unless for a core: ')}"
            ),
            remedy=_REMEDY,
        )
    ]


def provider_errors(evidence: Evidence) -> list[Finding]:
    """Its name stands in the answers of what failed, or in the server's log."""
    tally = Tally()
    for owner in evidence.owners:
        tally.add(owner, said(owner, _PROVIDER) | _timeouts_logged(owner))
    if tally.first is None:
        return []
    return [
        tally.finding(
            rule="provider-errors",
            cause=(
                f"{tally.words()} failed with the payment provider: its errors stand in the "
                "answers or in the server's log"
            ),
            remedy=_REMEDY,
        )
    ]


def _shown(evidence: Evidence, first: Owner, elsewhere: dict[str, Mask]) -> Owner:
    """``first``, or else a part of its session in which such requests were answered."""
    session = first.attempt.session
    parts = [part for part in evidence.parts if part.attempt.session == session]
    return next((owner for owner in (first, *parts) if elsewhere[owner.id].any()), first)


def _idle(owner: Owner) -> bool:
    cpu = owner.cpu_percent()
    return cpu is None or cpu < _IDLE_PERCENT


def _elsewhere(owner: Owner) -> Mask:
    """Answered late, by an application that neither computed nor was in the database."""
    application = owner.samples.number("application_seconds")
    database = np.nan_to_num(owner.samples.number("database_seconds"))
    mask: Mask = (
        (application - database >= _LEAST_SECONDS)
        & (database <= _LITTLE * application)
        & (application >= _MOSTLY * owner.service_seconds)
    )
    return mask & owner.good if _idle(owner) else np.zeros_like(mask)


def _longest_seconds(evidence: Evidence, elsewhere: dict[str, Mask]) -> dict[int, float]:
    """By session how long such requests took, p(90); none if others were late as well."""
    found = {}
    for session in {owner.attempt.session for owner in evidence.parts}:
        parts = [owner for owner in evidence.parts if owner.attempt.session == session]
        late = [
            owner.good & (owner.service_seconds >= _LEAST_SECONDS) | elsewhere[owner.id]
            for owner in parts
        ]
        seconds = np.concatenate(
            [owner.service_seconds[elsewhere[owner.id]] for owner in parts] or [np.empty(0)]
        )
        if seconds.size and seconds.size >= _MOSTLY * sum(int(mask.sum()) for mask in late):
            found[session] = float(np.percentile(seconds, 90))
    return found


def _given_up(owner: Owner, longest: float) -> Mask:
    """Timeouts no more than twice as long as the ``longest`` of those answered."""
    given_up = owner.samples.text_equals("outcome", "timeout")
    waited = known(owner.service_seconds[given_up])
    alike = waited.size > 0 and longest >= _MOSTLY * float(np.median(waited))
    return given_up if alike and _idle(owner) else np.zeros_like(given_up)


def _timeouts_logged(owner: Owner) -> Mask:
    """Timeouts, if the server's log names the provider meanwhile."""
    named = any(_PROVIDER.search(text) for text in owner.errors_logged())
    timeouts = owner.samples.text_equals("outcome", "timeout")
    return timeouts if named else np.zeros_like(timeouts)
