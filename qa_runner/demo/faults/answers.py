"""Faults of what is answered."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from django.http import HttpResponse, HttpResponseBase

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import TwoOfFive
from qa_runner.demo.responses import failure

__all__ = ["Garbage", "RateLimit"]


class RateLimit(Fault):
    """Limits the rate on the view itself, as a decorator does that no project setting reaches."""

    requests = 10
    window_seconds = 3600.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: deque[float] = deque()

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Proceed, or answer when to come again."""
        wait = self._wait()
        if wait is None:
            return proceed()
        seconds = math.ceil(wait)
        text = f"rate limit exceeded: {self.requests} requests an hour; again in {seconds} s"
        response = failure(429, {"request": [text]})
        response["Retry-After"] = str(seconds)
        return response

    def _wait(self) -> float | None:
        """Seconds until another request is served; None if this one is."""
        now = time.monotonic()
        with self._lock:
            while self._served and now - self._served[0] >= self.window_seconds:
                self._served.popleft()
            if len(self._served) >= self.requests:
                return self._served[0] + self.window_seconds - now
            self._served.append(now)
            return None


class Garbage(Fault):
    """Answers what no client expects: markup, control characters, broken UTF-8, much of it.

    Nothing is stored then: neither the 201 nor the 500 says what happened.
    """

    page = (
        b"<!DOCTYPE html><html><head><title>Error</title></head><body>"
        b"<script>document.title = 'injected'</script><b>We are sorry\x00\x1b[31m\xff\xfe\xc3("
        b"\xe2\x80\xae" + b"<p>Nothing to see here &amp; more of it.</p>\r\n" * 4000
    )

    def __init__(self) -> None:
        self._counter = TwoOfFive()
        self._lock = threading.Lock()
        self._acknowledges = False

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Proceed, or answer with the page: 201 as if all were well, next time 500."""
        if not self._counter.strikes():
            return proceed()
        with self._lock:
            self._acknowledges = not self._acknowledges
            acknowledges = self._acknowledges
        if acknowledges:
            return HttpResponse(self.page, status=201, content_type="application/json")
        return HttpResponse(self.page, status=500, content_type="text/html; charset=utf-8")
