"""Answers that say less than they should: no valid body, no JSON, nothing in the log."""

from __future__ import annotations

from qa_runner.report.diagnosis.evidence import Evidence, Owner
from qa_runner.report.diagnosis.explain import decided
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import plural

__all__ = ["malformed_errors", "silent_failures", "unlogged_errors"]

_MOST_QUOTED = 80


def silent_failures(evidence: Evidence) -> list[Finding]:
    """A success status over a body that is none."""
    tally = Tally()
    for owner in evidence.owners:
        tally.add(owner, owner.samples.text_equals("outcome", "invalid"))
    if tally.first is None or tally.mask is None:
        return []
    invalid = tally.first.samples.where(tally.mask)
    status = int(invalid.number("status")[0])
    why = invalid.counts("error").most_common(1)[0][0]
    return [
        tally.finding(
            rule="silent-failure",
            cause=(
                f"{tally.words()} {tally.were()} answered HTTP {status} without a valid body"
                f"{': ' + why if why else ''}"
            ),
            remedy=(
                "Answer an error with a status of 400 or more, and look for what cuts off or "
                "replaces the body: an exception while it is written, a proxy, a cache."
            ),
        )
    ]


def malformed_errors(evidence: Evidence) -> list[Finding]:
    """Error responses that are no JSON objects."""
    found: list[tuple[Owner, str]] = []
    count, quoted = 0, ""
    for owner in evidence.owners:
        for result in owner.failing("malformed_errors"):
            rows = owner.samples.where(decided(owner, result))
            if len(rows):
                found.append((owner, result.id))
                count += len(rows)
                quoted = quoted or rows.counts("excerpt").most_common(1)[0][0][:_MOST_QUOTED]
    if not found:
        return []
    body = f"but \u201c{quoted}\u201d" if quoted else "but nothing at all"
    return [
        Finding(
            rule="malformed-errors",
            cause=(
                f"{plural(count, 'error response')} in {found[0][0].id} had no JSON object as "
                f"body, {body}"
            ),
            remedy=(
                "Answer errors of the API as JSON too: handler500 and its like in the URL "
                "configuration, an exception handler, and DEBUG = False."
            ),
            explains={name: 1.0 for _, name in found},
        )
    ]


def unlogged_errors(evidence: Evidence) -> list[Finding]:
    """Responses 5xx that left nothing in the server's log."""
    failed = [
        (owner, result)
        for owner in evidence.owners
        for result in owner.failing("unlogged_server_errors")
    ]
    if not failed:
        return []
    owner, result = failed[0]
    count = plural(round(result.measured or 0), "server error")
    return [
        Finding(
            rule="unlogged-errors",
            cause=f"{count} of {owner.id} left nothing in the server's log",
            remedy=(
                "Log the exception where it is caught (logger.exception), let django.request "
                "reach a handler, and look for a filter that drops repeated messages."
            ),
            explains={held.id: 1.0 for _, held in failed},
        )
    ]
