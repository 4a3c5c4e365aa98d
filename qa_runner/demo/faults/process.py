"""Faults of the view and of the process that runs it."""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from django.http import HttpResponseBase

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import TwoOfFive

__all__ = ["ColdStart", "Errors", "Restart", "UnloggedErrors"]

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


class ColdStart(Fault):
    """Is not ready yet when the server says that it is."""

    requests = 3

    def __init__(self) -> None:
        # next() of a count is atomic, so this needs no lock.
        self._count = itertools.count(1)

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Raise until warm, then proceed."""
        if next(self._count) <= self.requests:
            raise ApplicationError("the prices are not loaded yet")
        return proceed()


class UnloggedErrors(Errors):
    """Raises in the view, in a project that has turned Django's record of it off."""

    def prepare(self) -> None:
        """Let the log be told nothing of requests that fail."""
        logging.getLogger("django.request").setLevel(logging.CRITICAL)


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
