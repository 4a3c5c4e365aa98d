"""Events to those who listen; a broken listener is logged and never ends a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from qa_runner.clock import Clock
from qa_runner.events import Event, LoadProgress
from qa_runner.load.process import LoadHandle

__all__ = ["Feed", "Listener"]

_LOG = logging.getLogger(__name__)
_PROGRESS_SECONDS = 0.2

Listener = Callable[[Event], None]


class Feed:
    """Sends each event to every listener, in order."""

    def __init__(self, listeners: Sequence[Listener], clock: Clock) -> None:
        self.clock = clock
        self._listeners = listeners
        self._told = float("-inf")

    def emit(self, event: Event) -> None:
        """Send one event."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001
                _LOG.exception("a listener failed on %s", type(event).__name__)

    def progress(self, handle: LoadHandle) -> None:
        """Say how far a load is, a few times a second."""
        now = self.clock.now()
        if now - self._told < _PROGRESS_SECONDS and not handle.finished:
            return
        self._told = now
        progress = handle.progress
        self.emit(
            LoadProgress(
                now,
                part=handle.part,
                done=progress.done,
                expected=progress.expected,
                succeeded=progress.succeeded,
                in_flight=progress.in_flight,
                fraction=progress.fraction,
            )
        )
