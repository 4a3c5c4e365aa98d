"""Ends a process with the one that started it, even when its event loop does not turn."""

from __future__ import annotations

import os
import select
import threading

__all__ = ["end_with"]


def end_with(descriptor: int) -> None:
    """End this process at once when the other side of a pipe is gone.

    The loop, which reads the pipe, notices too, unless a function of an author's that never
    returns keeps it; a thread gets its turn even then. It sleeps in the kernel until then, and
    costs nothing.
    """
    threading.Thread(target=_watch, args=(os.dup(descriptor),), daemon=True).start()


def _watch(descriptor: int) -> None:
    watch = select.poll()
    watch.register(descriptor, 0)  # a hang-up is told in any case, bytes that arrive are not
    while not any(event & select.POLLHUP for _, event in watch.poll()):
        pass
    os._exit(0)
