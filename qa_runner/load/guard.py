"""Stops load that would harm its target: watched where it is sent, so that nothing comes late."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from qa_runner.load.check import Finding
from qa_runner.load.error_window import ErrorWindow
from qa_runner.load.limits import Limits
from qa_runner.load.plan import Outcome
from qa_runner.load.rate_limit import stated_wait

__all__ = ["Guard"]

RATE_SECONDS = 10.0
"""The rate is counted over so long: a burst is no rate."""
_RATE_TOLERANCE = 1.1
"""Requests that were due in a moment in which nothing could be sent come together after it."""
HOPELESS_SECONDS = 60.0
"""Who is told to stay away for longer than this gets no other answer for the rest of a load. The
first request of all is no load yet: whoever sent it to find out hears the answer."""
REFUSED_IN_A_ROW = 25
"""So many answers 429 with no other between them are a limit that began and does not end soon,
whatever it says of a time: there is nothing left to measure but the limit."""
_NOT_ENDED = (Outcome.DROPPED, Outcome.CANCELLED)


class Guard:
    """Counts the requests of all loads with the same limits.

    ``reason`` says in one sentence, without a full stop, why load must end; ``stop`` is called
    once, when there is one. Times are ``time.monotonic()``.
    """

    def __init__(self, limits: Limits, stop: Callable[[], object]) -> None:
        self.reason = ""
        self._limits = limits
        self._stop = stop
        self._started = 0
        self._refused = 0
        self._starts: deque[float] = deque()
        self._window = ErrorWindow(limits.error_budget) if limits.error_budget else None
        self._most_starts = (
            math.inf
            if limits.most_rate is None
            else math.ceil(limits.most_rate * RATE_SECONDS * _RATE_TOLERANCE)
        )

    def admits(self, now: float) -> bool:
        """Whether one more request may be started; it counts as started then."""
        if self.reason:
            return False
        limits = self._limits
        if limits.most_requests is not None and self._started >= limits.most_requests:
            self._end(
                f"{self._started:,} requests were sent, the most that the environment "
                f"{limits.environment} allows in a session (max_requests)"
            )
            return False
        if limits.most_rate is not None and not self._slow_enough(now, limits.most_rate):
            return False
        self._started += 1
        return True

    def _slow_enough(self, now: float, most_rate: float) -> bool:
        while self._starts and self._starts[0] <= now - RATE_SECONDS:
            self._starts.popleft()
        if len(self._starts) >= self._most_starts:
            seconds = max(now - self._starts[0], 0.001)
            self._end(
                f"{len(self._starts):,} requests were sent in {seconds:.2g} s, and the "
                f"environment {self._limits.environment} allows {most_rate:g} req/s over "
                f"{RATE_SECONDS:g} s (max_rate)"
            )
            return False
        self._starts.append(now)
        return True

    def ended(self, finished: float, finding: Finding) -> None:
        """Take in what became of a request."""
        if self.reason or finding.outcome in _NOT_ENDED:
            return
        failed = finding.outcome is not Outcome.SUCCESS
        error = (finding.error or str(finding.outcome)) if failed else ""
        if self._limited(finding, error):
            return
        if self._window is not None and self._window.add(finished, error):
            self._end(
                f"{self._window.describe()}; it is the error budget of the environment "
                f"{self._limits.environment}"
            )

    def _limited(self, finding: Finding, error: str) -> bool:
        """Whether a rate limit leaves nothing to be measured; load is ended then."""
        if finding.outcome is not Outcome.THROTTLED:
            self._refused = 0
            return False
        self._refused += 1
        wait = stated_wait(finding.extracted, datetime.now(UTC))
        after = f"after {self._started:,} requests of this session: {error}"
        if wait > HOPELESS_SECONDS and self._started > 1:
            self._end(
                f"a rate limit answers, and asks to stay away for {wait:,.0f} s (Retry-After) "
                f"{after}"
            )
        elif self._refused >= REFUSED_IN_A_ROW:
            self._end(f"a rate limit answers: 429 for {self._refused} times in a row, {after}")
        return bool(self.reason)

    def _end(self, reason: str) -> None:
        self.reason = reason
        self._stop()
