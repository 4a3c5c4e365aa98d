"""Which criteria some requests decided, so that a cause of theirs explains them.

A success rate is decided by the requests that failed, a timeout rate by those that timed out, a
response time by the requests above the limit or else by the slowest twentieth. A cause that
accounts for less than a tenth of these explains nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from qa_runner.criteria import CriterionResult
from qa_runner.metric import Unit, parse_quantity
from qa_runner.report.diagnosis.evidence import Owner
from qa_runner.report.source import answered, response_seconds
from qa_runner.table import Mask
from qa_runner.verdict import Verdict

__all__ = ["TIMES", "decided", "shares"]

_LEAST = 0.1
_SLOWEST_PERCENT = 95.0

_ERROR_OUTCOMES = ("client error", "throttled", "server error", "other")
_OUTCOMES: dict[str, tuple[str, ...]] = {
    "client_error_rate": ("client error", "throttled"),
    "server_error_rate": ("server error",),
    "timeout_rate": ("timeout",),
    "connection_error_rate": ("connection error",),
    "silent_failures": ("invalid",),
    "dropped_iterations": ("dropped",),
}
"""The outcomes that a metric counts."""
_FAILURES = ("success_rate", "error_rate", "status", "malformed_errors", *_OUTCOMES)
TIMES = ("response_time", "service_time", "connect_time", "time_to_first_byte")
"""Metrics with a time for each request."""
_BOTH = (
    "duration",
    "throughput",
    "peak_throughput",
    "follow_up_time",
    "recovery_time",
    "response_time_over_band",
)
"""Metrics that errors spoil as well as slowness."""
_SPREADS = ("stddev", "drift", "range")
"""Aggregates whose limit is none for a single request."""
_ROLES = {"follow_up_time": "follow-up", "recovery_time": "probe"}


def shares(owner: Owner, mask: Mask, metrics: Collection[str] = ()) -> dict[str, float]:
    """How much of each criterion of ``owner`` the requests in ``mask`` account for.

    ``mask`` has the shape of the owner's samples; criteria of other ``metrics``, if any are given,
    and those of which they account for less than a tenth are left out.
    """
    found: dict[str, float] = {}
    if not mask.any():
        return found
    for result in owner.results:
        if not _open(owner, result) or (metrics and result.metric not in metrics):
            continue
        deciding = decided(owner, result)
        count = int(deciding.sum())
        share = float((deciding & mask).sum()) / count if count else 0.0
        if share >= _LEAST:
            found[result.id] = share
    return found


def _open(owner: Owner, result: CriterionResult) -> bool:
    """Whether requests can explain it: it failed, or what they did kept it from being judged."""
    if result.verdict is Verdict.INCONCLUSIVE:
        return result.reason.startswith(("no request", "only ")) or _cut_short(owner, result)
    return result.verdict is Verdict.FAIL


def _cut_short(owner: Owner, result: CriterionResult) -> bool:
    """Whether it was left open because errors stopped the load before its end."""
    left_open = result.verdict is Verdict.INCONCLUSIVE
    return left_open and any(words in result.reason for words in owner.stopped)


def decided(owner: Owner, result: CriterionResult) -> Mask:
    """The requests, of the shape of the owner's samples, that decided a criterion."""
    samples = owner.samples
    base = samples.text_equals("role", _ROLES.get(result.metric, "main"))
    if result.tag and samples.text_equals("tag", result.tag).any():
        base &= samples.text_equals("tag", result.tag)
    failed = base & ~owner.good & ~samples.text_equals("outcome", "cancelled")
    metric = result.metric
    if result.verdict is Verdict.INCONCLUSIVE:
        # Too few were answered, or errors ended the load, which left more open than they decide.
        of_requests = metric in (*_FAILURES, *TIMES, *_BOTH)
        return failed if of_requests or not _cut_short(owner, result) else np.zeros_like(failed)
    if metric == "malformed_errors":
        malformed: Mask = samples.number("json_object") != 1
        return failed & _among(owner, _ERROR_OUTCOMES) & malformed
    if metric in _FAILURES:
        return failed & _among(owner, _OUTCOMES[metric]) if metric in _OUTCOMES else failed
    if metric in TIMES:
        return _slow(owner, result, base)
    if metric in _BOTH:
        return failed if failed.sum() >= _LEAST * base.sum() > 0 else _slow(owner, result, base)
    return np.zeros(len(samples), dtype=bool)


def _among(owner: Owner, outcomes: Iterable[str]) -> Mask:
    return owner.samples.text_among("outcome", tuple(outcomes))


def _slow(owner: Owner, result: CriterionResult, base: Mask) -> Mask:
    """Those above the limit, or else the slowest twentieth, of those that have a time."""
    samples = owner.samples
    timed = base & answered(samples)
    if not timed.any():
        return base
    seconds = response_seconds(samples)
    if result.metric in TIMES and result.aggregate not in _SPREADS:
        limit = result.limit * parse_quantity(f"1 {result.unit}", Unit.SECONDS)[2]
        above = timed & (seconds > limit)
        if above.any():
            return above
    least = np.percentile(seconds[timed], _SLOWEST_PERCENT)
    slowest: Mask = timed & (seconds >= least)
    return slowest
