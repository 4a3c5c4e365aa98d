"""Faults of the time that requests take, for reasons of the application's own."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

from django.http import HttpResponseBase

from qa_runner.demo.faults.chain import Fault

__all__ = ["Degradation", "SlowRecovery"]


class Degradation(Fault):
    """Gets slower from request to request, without using the CPU or the database."""

    step_seconds = 0.05
    most_seconds = 3.0

    def __init__(self) -> None:
        # next() of a count is atomic, so this needs no lock.
        self._count = itertools.count(1)

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Wait longer than before, then proceed."""
        time.sleep(min(next(self._count) * self.step_seconds, self.most_seconds))
        return proceed()


class SlowRecovery(Fault):
    """Stays slow when heavy load is over. Heavy are 50 requests within 3 s."""

    requests = 50
    window_seconds = 3.0
    lasting_seconds = 60.0
    delay_seconds = 2.2

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: deque[float] = deque(maxlen=self.requests)
        self._slow_until = 0.0

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Proceed, late if there was heavy load."""
        if self._is_slow():
            time.sleep(self.delay_seconds)
        return proceed()

    def _is_slow(self) -> bool:
        """Take note of a request; whether the load before it is not got over yet."""
        now = time.monotonic()
        with self._lock:
            self._arrivals.append(now)
            full = len(self._arrivals) == self.requests
            if full and now - self._arrivals[0] < self.window_seconds:
                self._slow_until = now + self.lasting_seconds
            return now < self._slow_until
