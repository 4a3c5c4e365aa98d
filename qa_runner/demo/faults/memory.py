"""Faults of the server's memory."""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable

from django.http import HttpResponseBase

from qa_runner.demo.faults.chain import Fault

__all__ = ["Leak", "MemoryPlateau", "MemorySwings"]


class Leak(Fault):
    """Holds memory for ever, in pages that were written to and so are resident."""

    bytes_per_request = 2**20

    def __init__(self) -> None:
        self._held: list[bytearray] = []

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Take more, then proceed."""
        self._held.append(bytearray(b"x" * self.bytes_per_request))
        return proceed()


class MemoryPlateau(Fault):
    """Fills a cache with large things once. Memory rises steeply, and stays: no leak."""

    entries = 4
    bytes_per_entry = 60_000_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[mmap.mmap] = []

    def handle(self, proceed: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Fill the cache, then proceed."""
        with self._lock:
            if len(self._held) < self.entries:
                self._held.append(_resident(self.bytes_per_entry))
        return proceed()


class MemorySwings(Fault):
    """Memory never comes to rest, whether there are requests or not."""

    bytes_each_time = 7_000_000
    # No multiple of each other, nor of what monitors sample at.
    held_seconds = 0.4
    pause_seconds = 0.53

    def prepare(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._swing, name="swings", daemon=True).start()

    def _swing(self) -> None:
        while True:
            with _resident(self.bytes_each_time):
                time.sleep(self.held_seconds)
            time.sleep(self.pause_seconds)


def _resident(size: int) -> mmap.mmap:
    """Memory that is the system's own again when closed, which freed objects rarely are."""
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # One byte makes a page resident: quick on a busy machine, too.
    pages = len(range(0, size, mmap.PAGESIZE))
    block[:: mmap.PAGESIZE] = b"x" * pages
    return block
