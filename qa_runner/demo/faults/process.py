"""Faults of the view and of the process that runs it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from django.http import HttpResponseBase

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import TwoOfFive

__all__ = ["Errors", "Leak", "Restart"]

_LOG = logging.getLogger("purchase_api.faults")


class ApplicationError(Exception):
    """Stands for a defect in the application."""


class Errors(Fault):
    """Raises in the view."""

    def __init__(self) -> None:
        self._counter = TwoOfFive()

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Raise or proceed."""
        if self._counter.strikes():
            raise ApplicationError("unexpected state of the purchase")
        return proceed()


class Leak(Fault):
    """Holds memory for ever, in pages that were written to and so are resident."""

    bytes_per_request = 2**20

    def __init__(self) -> None:
        self._held: list[bytearray] = []

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Take more, then proceed."""
        self._held.append(bytearray(b"x" * self.bytes_per_request))
        return proceed()


class Restart(Fault):
    """Ends the process in a burst.

    A burst is 30 requests within 2 s, some of them at once: requests in a row, however fast, are
    none. After a start the process lives for a second at least, so that the supervisor goes on.
    """

    exit_code = 3
    requests = 30
    window_seconds = 2.0
    least_life_seconds = 1.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._arrivals: deque[float] = deque(maxlen=self.requests)
        self._in_flight = 0

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """End the process, with all requests in flight, or proceed."""
        with self._lock:
            self._in_flight += 1
            now = time.monotonic()
            self._arrivals.append(now)
            if (
                self._in_flight > 1
                and len(self._arrivals) == self.requests
                and now - self._arrivals[0] < self.window_seconds
                and now - self._started > self.least_life_seconds
            ):
                _LOG.error("the server process ends in a burst of requests")
                os._exit(self.exit_code)
        try:
            return proceed()
        finally:
            with self._lock:
                self._in_flight -= 1
