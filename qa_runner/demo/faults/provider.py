"""Faults of the payment provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from qa_runner.demo.faults.chain import Fault
from qa_runner.demo.faults.counter import TwoOfFive
from qa_runner.demo.finances.provider import Intent

__all__ = ["Slow", "SlowProvider", "Timeouts"]


class ProviderUnavailable(Exception):
    """The payment provider gave no answer."""


class Slow(Fault):
    """Takes longer than anybody wants to wait, without using the CPU."""

    delay_seconds = 2.5

    def charge(self, proceed: Callable[[], Intent]) -> Intent:
        """Answer late."""
        time.sleep(self.delay_seconds)
        return proceed()


class Timeouts(Fault):
    """Hangs, then gives up. Nothing has been written by then."""

    hang_seconds = 60.0

    def __init__(self) -> None:
        self._counter = TwoOfFive()

    def charge(self, proceed: Callable[[], Intent]) -> Intent:
        """Hang or answer."""
        if self._counter.strikes():
            time.sleep(self.hang_seconds)
            raise ProviderUnavailable(f"no answer within {self.hang_seconds:g} s")
        return proceed()


class SlowProvider(Fault):
    """Serves one call at a time: the more requests there are at once, the longer each waits."""

    call_seconds = 1.1

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def charge(self, proceed: Callable[[], Intent]) -> Intent:
        """Wait for the turn, then take long."""
        with self._turn:
            time.sleep(self.call_seconds)
            return proceed()
