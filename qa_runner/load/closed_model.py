"""The closed model: each virtual user sends, waits for the answer, thinks, and sends again."""

from __future__ import annotations

import asyncio
from functools import partial
from math import inf

from qa_runner.load.model import Sender
from qa_runner.load.schedule import ClosedSchedule
from qa_runner.load.timer import Alarm

__all__ = ["UNREACHED_PAUSE_SECONDS", "ClosedModel"]

UNREACHED_PAUSE_SECONDS = 0.1


class ClosedModel:
    """Keeps as many users going as the schedule has stages for.

    A request belongs to the stage in which it was due: the moment when its user was ready. A
    user that a stage no longer has is retired when its answer is there.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, schedule: ClosedSchedule, sender: Sender
    ) -> None:
        self._loop = loop
        self._schedule = schedule
        self._sender = sender
        self._remaining = inf if schedule.requests is None else schedule.requests
        self._begins: list[float] = []
        self._end = inf
        self._stage = -1
        self._active: set[int] = set()
        self._thinking: dict[int, Alarm] = {}
        self._next_stage: Alarm | None = None
        self._stopped = False

    def start(self, now: float) -> None:
        """Begin; the stages count from ``now``."""
        self._begins = [now + stage.offset for stage in self._schedule.stages]
        if self._schedule.seconds is not None:
            self._end = now + self._schedule.seconds
        self._enter(0)

    def _enter(self, stage: int) -> None:
        """Begin a stage, unless a user that was ready in it has already done so."""
        if self._stopped or stage <= self._stage:
            return
        self._stage = stage
        if self._next_stage is not None:
            self._next_stage.cancel()
            self._next_stage = None
        if stage + 1 < len(self._begins):
            self._next_stage = Alarm(
                self._loop, self._begins[stage + 1], partial(self._enter, stage + 1)
            )
        for user in range(self._schedule.stages[stage].users):
            if user not in self._active:
                self._active.add(user)
                self._ready(user, self._begins[stage])

    def _ready(self, user: int, due: float) -> None:
        # The timer of a stage can be later than a user that became ready after its beginning.
        while self._stage + 1 < len(self._begins) and due >= self._begins[self._stage + 1]:
            self._enter(self._stage + 1)
        users = self._schedule.stages[self._stage].users
        if self._stopped or user >= users or due >= self._end or self._remaining <= 0:
            self._active.discard(user)
            return
        self._remaining -= 1
        self._sender.send(user, self._stage, due)

    def ended(self, user: int, finished: float, *, reached: bool) -> None:
        """Let the user think, and send again."""
        think = self._schedule.think_seconds
        if not reached:
            # A server that refuses would be asked thousands of times a second.
            think = max(think, UNREACHED_PAUSE_SECONDS)
        due = finished + think
        if think <= 0 or due >= self._end or self._remaining <= 0 or self._stopped:
            self._ready(user, due)
            return
        self._thinking[user] = Alarm(self._loop, due, partial(self._awake, user, due))

    def _awake(self, user: int, due: float) -> None:
        del self._thinking[user]
        # Woken late on a busy machine, the request is as late as its start says.
        self._ready(user, due)
        # Others may have sent the last request meanwhile.
        self._sender.settle()

    def stop(self) -> None:
        """Retire all users; those with a request in flight when it ends."""
        self._stopped = True
        if self._next_stage is not None:
            self._next_stage.cancel()
            self._next_stage = None
        for user, alarm in self._thinking.items():
            alarm.cancel()
            self._active.discard(user)
        self._thinking.clear()

    @property
    def exhausted(self) -> bool:
        """Whether no user is left and none will come."""
        return self._stopped or (not self._active and self._next_stage is None)
