"""Requests were refused by a rate limit; whose it is shows in the answers."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, matches
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.report.format import plural
from qa_runner.report.text import clean
from qa_runner.table import Mask

__all__ = ["rate_limited"]

_RETRY_AFTER = "retry-after"
_REST = re.compile(r"request was throttled", re.IGNORECASE)
_PROXY = re.compile(r"<html|nginx|cloudflare|varnish|envoy|traefik|haproxy", re.IGNORECASE)
_PROVIDER = re.compile(r"stripe|paypal|adyen|braintree|mollie|provider|payment", re.IGNORECASE)
_OWN = (
    "Raise the limit for the test's address while testing, or lift it. It may stand on the view "
    "itself, where project settings do not switch it off, and GET requests to the same URL count "
    "too."
)
_PROXYS = "Raise the proxy's limit for the test's address, or test the server behind it."
_PROVIDERS = (
    "Test against a stub of the payment provider, or have its limit raised: its limit, not the "
    "server's, was measured."
)


def rate_limited(evidence: Evidence) -> list[Finding]:
    """How many requests were refused, whose limit that is, and how many it lets through."""
    tally = Tally()
    for owner in evidence.owners:
        tally.add(owner, owner.samples.text_equals("outcome", "throttled"))
    if tally.first is None or tally.mask is None:
        return []
    whose, remedy = _whose(tally.first, tally.mask)
    cause = f"{tally.words()} {tally.were()} answered HTTP 429{whose}{_let_through(evidence)}"
    return [
        tally.finding(
            rule="rate-limit",
            cause=cause,
            remedy=remedy,
        )
    ]


def _whose(owner: Owner, mask: Mask) -> tuple[str, str]:
    throttled = owner.samples.where(mask)
    stated: dict[str, Any] = {}
    for text in throttled.distinct("extracted"):
        # The longest wait is that of the first refusal: the whole window.
        stated = max(stated, _headers(text), key=_wait)
    headers = [
        f"{name.title()}: {clean(str(value))}"
        for name, value in stated.items()
        if value and (name == _RETRY_AFTER or "limit" in name)
    ]
    if matches(throttled, _PROXY, "excerpt").any():
        return ": a proxy before the application limits the rate", _PROXYS
    if headers:
        who = "the endpoint's own or that of a proxy before it"
        if matches(throttled, _REST, "error", "excerpt").any():
            who = "a throttle on the view, in the words of Django REST framework"
        return f": the limit is {who}, which states it ({', '.join(headers[:2])})", _OWN
    if matches(throttled, _REST, "error", "excerpt").any():
        return ": a throttle on the view, in the words of Django REST framework", _OWN
    named = matches(throttled, _PROVIDER, "error", "excerpt").any()
    if named:
        said = throttled.text("error")[0].partition(": ")[2]
        quoted = f" \u201c{said}\u201d" if said else ""
        return f"{quoted} without Retry-After: the payment provider's limit, passed on", _PROVIDERS
    if _RETRY_AFTER in stated:
        return (
            " without Retry-After, as a limit of the payment provider is passed on",
            _PROVIDERS,
        )
    return "", _OWN


def _headers(text: str) -> dict[str, Any]:
    """What was kept of an answer, by name; nothing if that is no JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wait(stated: dict[str, Any]) -> float:
    text = str(stated.get(_RETRY_AFTER) or "")
    return float(text) if text.isdecimal() else -1.0 if not stated else 0.0


def _let_through(evidence: Evidence) -> str:
    """How many requests of the session the limit let through before its first refusal."""
    samples = evidence.source.all_samples
    throttled = samples.text_equals("outcome", "throttled")
    finished = samples.number("finished")
    sessions = samples.number("session")
    session = float(sessions[throttled].min())
    mine = sessions == session
    first = float(np.nanmin(finished[throttled & mine]))
    # A refusal is quicker than an answer: what was under way by then was let through.
    begun = samples.number("started") <= first
    before = mine & ~throttled & (samples.number("status") > 0) & begun
    return f"; the first of them came after {plural(int(before.sum()), 'other request')}"
