"""The stop token: how Ctrl-C reaches whatever is under way."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from qa_runner.errors import StopRequested

__all__ = ["StopToken", "not_finished", "stop_on_signals"]

PATIENCE_SECONDS = 1.0
PROTECTED = "stopped to protect the target"
NOT_ENDED = "the run has not come to its end"
_BY_KEY = "by Ctrl-C"


def not_finished(why: str) -> str:
    """What is left open says so: "not finished: stopped with Ctrl-C"."""
    if why.startswith(_BY_KEY):
        why = f"stopped with {why.removeprefix('by ')}"
    elif why.startswith("by "):
        why = f"stopped {why}"
    return f"not finished: {why}"


class StopToken:
    """Set once, by a signal or by a safety rule; everything that waits looks at it."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.reason = ""
        self.for_safety = False

    def stop(self, reason: str, *, for_safety: bool = False) -> None:
        """Ask for a stop, ``for_safety`` if it is to protect the target; the first reason stays."""
        if not self.event.is_set():
            self.reason = reason
            self.for_safety = for_safety
            self.event.set()

    def check(self) -> None:
        """Raise StopRequested if a stop was asked for.

        It says briefly that it is for safety: the sentence that says why stands once in the run.
        """
        if self.event.is_set():
            raise StopRequested(PROTECTED if self.for_safety else self.reason)

    def sleep(self, seconds: float) -> None:
        """Sleep; raises StopRequested as soon as a stop is asked for."""
        self.event.wait(max(seconds, 0.0))
        self.check()


@contextmanager
def stop_on_signals(token: StopToken, told: Callable[[], None] = lambda: None) -> Iterator[None]:
    """While inside, SIGINT, SIGTERM and SIGHUP set the token instead of ending the process.

    A signal only sets a flag, so that no write is cut in half; whoever waits sees it within a
    tenth of a second. A second Ctrl-C, a second or more after the first, raises
    KeyboardInterrupt at once: fingers often press twice.
    """
    asked = float("-inf")

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if number == signal.SIGINT and token.event.is_set():
            if time.monotonic() - asked >= PATIENCE_SECONDS:
                raise KeyboardInterrupt
            return
        first = not token.event.is_set()
        asked = time.monotonic()
        name = signal.Signals(number).name
        token.stop(_BY_KEY if name == "SIGINT" else f"by {name}")
        if first:
            # The terminal may be gone: that is what SIGHUP is for.
            with suppress(OSError):
                told()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
