"""A fault of the CPU."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from django.http import HttpResponseBase

from qa_runner.demo.faults.chain import Fault

__all__ = ["CpuBurn"]


class CpuBurn(Fault):
    """Computes behind the requests' backs, and goes on when they are over.

    Hashing lets go of the interpreter's lock, so that requests are answered meanwhile.
    """

    seconds_per_request = 1.0
    most_seconds = 60.0
    slice_seconds = 0.1
    threads = 2

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owed_seconds = 0.0

    def prepare(self) -> None:
        """Start the threads, which wait for work."""
        for number in range(self.threads):
            threading.Thread(target=self._work, name=f"burn-{number}", daemon=True).start()

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Leave work behind, then proceed."""
        with self._changed:
            owed = self._owed_seconds + self.seconds_per_request
            self._owed_seconds = min(owed, self.most_seconds)
            self._changed.notify_all()
        return proceed()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._owed_seconds > 0)
                self._owed_seconds -= self.slice_seconds
            _burn(self.slice_seconds)


def _burn(seconds: float) -> None:
    """Use the CPU, for so long by the thread's own clock."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.pbkdf2_hmac("sha256", b"purchase", b"report", 10_000)
