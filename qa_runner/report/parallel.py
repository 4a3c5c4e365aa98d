"""Do independent work in two processes where that is safe: drawing is most of a report's time."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

__all__ = ["run_all"]

_Result = TypeVar("_Result")


def run_all(jobs: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """The results of ``jobs``, in their order; each may run in another process.

    So they must not depend on each other, nor change what others see, and their results must be
    such that can be pickled. Raises what a job raises.
    """
    if len(jobs) < 2 or not _may_fork():  # noqa: PLR2004 (one alone has nobody to share with)
        return [job() for job in jobs]
    context = multiprocessing.get_context("fork")
    following = context.Value("i", 0)
    ours, theirs = context.Pipe(duplex=False)
    helper = context.Process(target=_help, args=(jobs, following, ours, theirs), daemon=True)
    helper.start()
    theirs.close()
    try:
        found = dict(_taken(jobs, following))
        found |= _received(ours)
    finally:
        helper.kill()
        helper.join()
        ours.close()
    # What the other process could not do is done here, so that its error is an ordinary one.
    return [found[index] if index in found else job() for index, job in enumerate(jobs)]


def _may_fork() -> bool:
    """A copy of a process may wait for ever for a lock that a thread of Python's held."""
    return (
        sys.platform == "linux"
        and threading.active_count() == 1
        and len(os.sched_getaffinity(0)) > 1
    )


def _taken(
    jobs: Sequence[Callable[[], _Result]], following: Synchronized[int], parent: int = 0
) -> list[tuple[int, _Result]]:
    """Do the next job that nobody has taken, until there is none, or the ``parent`` is gone."""
    done: list[tuple[int, _Result]] = []
    while not parent or os.getppid() == parent:
        with following.get_lock():
            index = following.value
            following.value += 1
        if index >= len(jobs):
            return done
        done.append((index, jobs[index]()))
    return done


def _help(
    jobs: Sequence[Callable[[], Any]],
    following: Synchronized[int],
    ours: Connection,
    theirs: Connection,
) -> None:
    # Else it would wait for itself to read the answer when the other process is gone.
    ours.close()
    # Who is asked to stop is the other process, which ends this one.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        theirs.send(_taken(jobs, following, parent=os.getppid()))
    except BaseException:  # noqa: BLE001 (the other process meets it too, and tells it)
        os._exit(1)


def _received(connection: Connection) -> dict[int, Any]:
    try:
        return dict(connection.recv())
    except (EOFError, OSError, pickle.UnpicklingError):  # it was killed, perhaps while it sent
        return {}
