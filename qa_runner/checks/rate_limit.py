"""Would a rate limit answer in the place of the API?"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from qa_runner.checks.check import Check, Finding, failure, note, ok, warning
from qa_runner.checks.checked_target import Answer, CheckedTarget
from qa_runner.load.plan import Outcome
from qa_runner.load.rate_limit import stated_wait
from qa_runner.protection.caps import least_requests

__all__ = ["RATE_LIMIT"]

_STATED = (
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "x-ratelimit-limit",
    "x-rate-limit-limit",
)
_LEFT = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
# What Django REST framework says where a proxy takes the header away.
_THROTTLE = re.compile(r"request was throttled", re.IGNORECASE)
_PAGE = re.compile(r"\s*<(?:!doctype|html|head)", re.IGNORECASE)
_INSTEAD = "it would answer in the place of the API"
_LIFT = "lift it for the address of qa-runner"
_MOST_TRIED = 100
_TRYING_SECONDS = 5.0
_OF_A_SECOND = re.compile(r"\d+\s*/\s*s", re.IGNORECASE)


def _run(checked: CheckedTarget) -> Finding | None:
    answer = checked.answer
    if answer is None or answer.status == 0:
        return None
    if answer.outcome is Outcome.THROTTLED:
        return _struck(checked, answer)
    return _ahead(checked, answer)


def _struck(checked: CheckedTarget, answer: Answer) -> Finding:
    """Whose limit it is that answers 429."""
    facts = checked.endpoint()
    whose = "that of the view or of a proxy before it"
    if facts is not None and facts.limits:
        whose = f"that of the view {facts.view} ({' and '.join(facts.limits)})"
    answers = f"a rate limit answers {answer.what}: 429"
    said = f" ({answer.error})" if answer.error else ""
    later = answer.headers.get("retry-after", "")
    words = f"Retry-After: {later}" if later else _listed(answer, _STATED)
    wait = f", or wait for {later} s" if later.isdecimal() else ""
    if words or _THROTTLE.search(answer.error):
        return failure(
            f"{answers} with {words or 'the words of a throttle'}{said}: it is {whose}, and "
            "requests of any method count",
            f"{_LIFT}{wait}; {_INSTEAD}",
        )
    if _PAGE.match(answer.excerpt):
        return failure(
            f"{answers} with a page in HTML{said}: that is how the limit of a proxy before the "
            "application looks",
            f"{_LIFT}, or test the server behind it; {_INSTEAD}",
        )
    return failure(
        f"{answers} without Retry-After{said}: that is how the limit of a payment provider behind "
        "the API looks, and not its own",
        f"let the API use the provider's test mode or a simulated one; {_INSTEAD}",
    )


def _ahead(checked: CheckedTarget, answer: Answer) -> Finding:
    """What is known of a limit that did not strike yet."""
    facts = checked.endpoint()
    stated = _listed(answer, (*_STATED, *_LEFT))
    found = [f"the endpoint states {stated}"] if stated else []
    known = facts is not None and facts.view
    if facts is not None and facts.limits:
        found.append(f"the view {facts.view} is limited to {' and '.join(facts.limits)}")
    if not found:
        return ok("none is stated, and none is found at the view" if known else "none is stated")
    said, least = "; ".join(found), least_requests(checked.case)
    rates = facts.limits if facts is not None else ()
    allowed = _allowed(answer, rates)
    if checked.load_follows and allowed < least and _may_try(checked, answer, allowed, least):
        return _tried(checked, said, allowed)
    # A run tries what it can, and would stop there; a check alone leaves the limit untouched.
    spoilt = not checked.load_follows and _allowed(answer, _lasting(rates)) < least
    return (failure if spoilt else warning)(
        f"{said}; the run sends at least {least:,} requests, and what comes beyond the limit is "
        "answered 429",
        _LIFT,
    )


def _may_try(checked: CheckedTarget, answer: Answer, allowed: int, least: int) -> bool:
    """Whether going beyond the limit is quickly done, and leaves the run what it needs."""
    limits = checked.session.limits
    most = limits.most_requests if limits is not None else None
    if allowed > _MOST_TRIED or (most is not None and least + allowed + 1 > most):
        return False
    return (allowed + 1) * (answer.seconds + _pause(checked)) < _TRYING_SECONDS


def _pause(checked: CheckedTarget) -> float:
    """Seconds between requests that keep to the rate of the target's environment."""
    limits = checked.session.limits
    rate = limits.most_rate if limits is not None else None
    return 0.0 if rate is None else 1 / rate


def _tried(checked: CheckedTarget, said: str, allowed: int) -> Finding:
    """Whether a low limit holds for us: the run would come to it in the midst of a step."""
    samples = checked.send_more(allowed + 1, _pause(checked))
    struck = samples.where(samples.text_equals("outcome", str(Outcome.THROTTLED)))
    if not len(struck):
        return note(f"{said}, but none of {len(samples) + 1} requests in a row was refused")
    number = len(samples) - len(struck) + 2  # one was sent before them
    wait = stated_wait(struck.text("extracted")[0], datetime.now(UTC))
    away = f", and asks to stay away for {wait:.0f} s (Retry-After)" if wait else ""
    return failure(
        f"a rate limit answers request {number} of this run{away}: {said}",
        f"{_LIFT}; {_INSTEAD}",
    )


def _lasting(rates: Sequence[str]) -> list[str]:
    """Without those that begin anew each second: how many requests fall into one, nobody knows."""
    return [rate for rate in rates if not _OF_A_SECOND.match(rate)]


def _allowed(answer: Answer, rates: Sequence[str]) -> int:
    """The lowest number of requests that a limit speaks of; very many if none does."""
    words = [rate.partition("/")[0].strip() for rate in rates]
    words += [answer.headers[name] for name in _LEFT if name in answer.headers]
    return min((int(word) for word in words if word.isdecimal()), default=sys.maxsize)


def _listed(answer: Answer, names: tuple[str, ...]) -> str:
    found = [f"{name}: {answer.headers[name]}" for name in names if name in answer.headers]
    return ", ".join(found)


RATE_LIMIT = Check("rate-limit", "Rate limits", _run, sends=True)
