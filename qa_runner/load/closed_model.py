"""The closed model: each virtual user sends, waits for the answer, thinks, and sends again."""

from __future__ import annotations

from functools import partial
from math import inf
from random import Random
from time import monotonic

from qa_runner.load.alarm_clock import TURN_SECONDS, AlarmClock, Wake
from qa_runner.load.model import Sender
from qa_runner.load.schedule import ClosedSchedule

__all__ = ["UNREACHED_PAUSE_SECONDS", "ClosedModel"]

UNREACHED_PAUSE_SECONDS = 0.1


class ClosedModel:
    """Keeps as many users going as the schedule has stages for.

    A request belongs to the stage in which it was due: the moment when its user was ready. A
    user that a stage no longer has is retired when its answer is there. Think times that vary
    are drawn for each user from a sequence of its own, which ``seed`` determines.
    """

    def __init__(
        self,
        clock: AlarmClock,
        schedule: ClosedSchedule,
        sender: Sender,
        *,
        seed: int = 0,
    ) -> None:
        self._clock = clock
        self._schedule = schedule
        self._sender = sender
        self._remaining = inf if schedule.requests is None else schedule.requests
        self._each = schedule.requests_per_user
        self._sent_by: dict[int, int] = {}
        self._think = schedule.think_seconds
        self._seed = seed
        self._randoms: dict[int, Random] = {}
        self._begins: list[float] = []
        self._end = inf
        self._stage = -1
        self._active: set[int] = set()
        self._waiting: dict[int, Wake] = {}
        self._next_stage: Wake | None = None
        self._stopped = False
        self._steady = False

    def start(self, now: float) -> None:
        """Begin; the stages count from ``now``."""
        self._begins = [now + stage.offset for stage in self._schedule.stages]
        if self._schedule.seconds is not None:
            self._end = now + self._schedule.seconds
        # The usual case, in which a user that got its answer has no question to ask but one.
        self._steady = len(self._begins) == 1 and not self._think and self._each is None
        self._enter(0)

    def _enter(self, stage: int) -> None:
        """Begin a stage, unless a user that was ready in it has already done so."""
        if self._stopped or stage <= self._stage:
            return
        before = self._schedule.stages[self._stage].users if self._stage >= 0 else 0
        while stage + 1 < len(self._begins) and self._begins[stage + 1] <= self._begins[stage]:
            stage += 1  # of stages at one moment only the last counts
        self._stage = stage
        self._forget_next_stage()
        following = self._begins[stage + 1] if stage + 1 < len(self._begins) else inf
        if following < self._end and self._remaining > 0:
            self._next_stage = self._clock.at(following, partial(self._begin, stage + 1))
        # Those before are there already, or have left for good.
        until = monotonic() + TURN_SECONDS
        for user in range(before, self._schedule.stages[stage].users):
            if user in self._active:
                continue
            self._active.add(user)
            if monotonic() < until:
                self._ready(user, self._begins[stage])
            else:  # the answers to the first of a crowd must not wait for the last
                self._wake(user, self._begins[stage])

    def _begin(self, stage: int) -> None:
        self._enter(stage)
        # A last stage without users ends the load if nobody is under way.
        self._sender.settle()

    def _ready(self, user: int, due: float) -> None:
        # The timer of a stage can be later than a user that became ready after its beginning.
        while self._stage + 1 < len(self._begins) and due >= self._begins[self._stage + 1]:
            self._enter(self._stage + 1)
        stage = self._stage
        while due < self._begins[stage] and stage:
            stage -= 1  # and a user that was ready before it can be later than that timer
        users = self._schedule.stages[stage].users
        if self._stopped or user >= users or due >= self._end or self._has_done(user):
            self._active.discard(user)
            self._sender.retired(user)
            return
        if self._each is not None:
            self._sent_by[user] = self._sent_by.get(user, 0) + 1
        self._remaining -= 1
        if self._remaining <= 0:  # who has not entered yet has nothing to do
            self._forget_next_stage()
        self._sender.send(user, stage, due)

    def _has_done(self, user: int) -> bool:
        """Whether nothing is left to send for this user."""
        if self._each is not None and self._sent_by.get(user, 0) >= self._each:
            return True
        return self._remaining <= 0

    def _forget_next_stage(self) -> None:
        if self._next_stage is not None:
            self._next_stage.cancel()
            self._next_stage = None

    def ended(self, user: int, finished: float, *, reached: bool) -> None:
        """Let the user think, and send again."""
        if self._steady and reached and finished < self._end and self._remaining > 1:
            self._remaining -= 1
            self._sender.send(user, 0, finished)
            return
        think = self._think
        if isinstance(think, tuple):
            think = self._draw(user, *think)
        if not reached:
            # A server that refuses would be asked thousands of times a second.
            think = max(think, UNREACHED_PAUSE_SECONDS)
        due = finished + think
        if think <= 0 or due >= self._end or self._has_done(user) or self._stopped:
            self._ready(user, due)
            return
        self._wake(user, due)

    def _draw(self, user: int, least: float, most: float) -> float:
        random = self._randoms.get(user)
        if random is None:
            random = self._randoms[user] = Random(f"{self._seed} {user}")  # noqa: S311 (no secret)
        return random.uniform(least, most)

    def _wake(self, user: int, due: float) -> None:
        self._waiting[user] = self._clock.at(due, partial(self._awake, user, due))

    def _awake(self, user: int, due: float) -> None:
        del self._waiting[user]
        # Woken late on a busy machine, the request is as late as its start says.
        self._ready(user, due)
        # Others may have sent the last request meanwhile.
        self._sender.settle()

    def stop(self) -> None:
        """Retire all users; those with a request in flight when it ends."""
        self._stopped = True
        self._steady = False
        self._forget_next_stage()
        for user, alarm in self._waiting.items():
            alarm.cancel()
            self._active.discard(user)
            self._sender.retired(user)
        self._waiting.clear()

    @property
    def exhausted(self) -> bool:
        """Whether no user is left and none will come."""
        return self._stopped or (not self._active and self._next_stage is None)
