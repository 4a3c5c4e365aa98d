"""A load that is being sent: a model decides when, a client sends, every request ends as a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from qa_runner.load.alarm_clock import AlarmClock
from qa_runner.load.check import Checker, Finding
from qa_runner.load.client import Client
from qa_runner.load.closed_model import ClosedModel
from qa_runner.load.exchange import Exchange
from qa_runner.load.guard import Guard
from qa_runner.load.messages import Progress
from qa_runner.load.model import Model, Sender
from qa_runner.load.open_model import OpenModel
from qa_runner.load.plan import LoadPlan, Outcome
from qa_runner.load.response import Response
from qa_runner.load.samples import SampleBuffer
from qa_runner.load.schedule import (
    OpenShape,
    closed_schedule,
    due_offsets,
    expected_requests,
    minimum_seconds,
)
from qa_runner.load.template import BodyFailed, CompiledRequest, compile_request
from qa_runner.load.validation import validate
from qa_runner.redaction import mask_known

__all__ = ["ActiveLoad", "prepare"]

STOP_GRACE_SECONDS = 0.5
"""So long may requests in flight go on after a stop."""


def prepare(plan: LoadPlan) -> CompiledRequest:
    """The request of a plan, all of which has been looked at; raises ValueError in one line."""
    validate(plan.shape)
    for name in ("timeout_seconds", "connect_timeout_seconds"):
        if not getattr(plan, name) > 0:
            raise ValueError(f"{name} must be above 0")
    # Not kept here: only to find a check that is not there before anything is sent.
    Checker(plan.request)
    return compile_request(plan)


class ActiveLoad:
    """Sends one plan. Raises ValueError if the plan cannot be sent.

    Every request that was started ends as exactly one row of ``samples``, and so does each that
    was due and dropped; ``finished`` is called once, after the last.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        plan: LoadPlan,
        finished: Callable[[int], None],
        guard: Guard | None = None,
    ) -> None:
        self.plan = plan
        self.guard = guard
        self.samples = SampleBuffer()
        self.in_flight = 0
        self.stop_reason = ""
        self._loop = loop
        self._finished = finished
        self._request = prepare(plan)
        self._keyed = bool(plan.request.key)
        self._checker = Checker(plan.request)
        self._client = Client(
            loop, plan, self._request, answered=self._answered, failed=self._failed
        )
        self._clock = AlarmClock(loop)
        self._model = _model(self._clock, plan, self)
        self._expected = expected_requests(plan.shape)
        self._seconds = minimum_seconds(plan.shape)
        self._start = monotonic()
        self._due = 0
        self._done = 0
        self._succeeded = 0
        self._over = False

    def start(self) -> None:
        """Begin to send."""
        self._start = monotonic()
        self._model.start(self._start)
        self._end_if_over()

    def stop(self) -> None:
        """Start nothing new; what is in flight after the grace is recorded as cancelled."""
        if self._over or self.stop_reason:
            return
        self.stop_reason = "stopped"
        self._model.stop()
        self._loop.call_later(STOP_GRACE_SECONDS, self._client.cancel_all)
        self._end_if_over()

    def send(self, user: int, stage: int, due: float) -> None:
        """Send the next request (for the model)."""
        self.in_flight += 1
        if self.guard is not None and not self.guard.admits(monotonic()):
            # The model must not be told to stop before it has sent.
            self._loop.call_soon(self._refused, user)
            return
        number = self._due
        self._due = number + 1
        try:
            self._client.send(number, user, stage, due)
        except BodyFailed as error:
            # The model is not told of an end before it has sent.
            self._loop.call_soon(self._unsent, Exchange(number, user, stage, due), str(error))

    def retired(self, user: int) -> None:
        """Close the connection of a user that has left (for the model)."""
        self._client.release(user)

    def settle(self) -> None:
        """Look whether the load is over (for the model)."""
        self._end_if_over()

    def drop(self, due: float) -> None:
        """Record a dropped iteration (for the model)."""
        exchange = Exchange(self._due, -1, 0, due)
        self._due += 1
        error = "not started: too many requests in flight"
        self._record(exchange, 0, Finding(Outcome.DROPPED, error))

    def _unsent(self, exchange: Exchange, error: str) -> None:
        self._record(exchange, 0, Finding(Outcome.DROPPED, mask_known(error)))
        self.in_flight -= 1
        self._model.ended(exchange.user, monotonic(), reached=False)
        self._end_if_over()

    def _refused(self, user: int) -> None:
        self.in_flight -= 1
        self.stop()
        self._model.ended(user, monotonic(), reached=False)
        self._end_if_over()

    def _answered(self, exchange: Exchange, response: Response) -> None:
        key = self._request.key(exchange.iteration + 1) if self._keyed else ""
        self._record(exchange, response.status, self._checker.judge(response, key))
        self._ended(exchange, reached=True)

    def _failed(self, exchange: Exchange, outcome: Outcome, error: str) -> None:
        self._record(exchange, 0, Finding(outcome, mask_known(error)))
        self._ended(exchange, reached=outcome is not Outcome.CONNECTION_ERROR)

    def _record(self, exchange: Exchange, status: int, finding: Finding) -> None:
        self._done += 1
        if finding.outcome is Outcome.SUCCESS:
            self._succeeded += 1
        if self.guard is not None:
            self.guard.ended(exchange.finished, finding)
        self.samples.add(
            exchange,
            finding.outcome,
            status=status,
            json_object=finding.json_object,
            texts=(finding.error, finding.extracted, finding.excerpt, finding.server_timing),
        )

    def _ended(self, exchange: Exchange, *, reached: bool) -> None:
        self.in_flight -= 1
        self._model.ended(exchange.user, exchange.finished, reached=reached)
        if not self.in_flight:
            self._end_if_over()

    def _end_if_over(self) -> None:
        if self._over or self.in_flight or not self._model.exhausted:
            return
        self._over = True
        self._client.close()
        self._clock.close()
        self._finished(self.plan.number)

    def progress(self) -> Progress:
        """How far it is."""
        if self._over:
            fraction = 1.0
        elif self._expected is not None:
            fraction = self._done / max(self._expected, 1)
        else:
            elapsed = monotonic() - self._start
            fraction = min(elapsed / self._seconds, 1.0) if self._seconds else 0.0
        return Progress(
            done=self._done,
            expected=self._expected,
            succeeded=self._succeeded,
            in_flight=self.in_flight,
            fraction=fraction,
        )


def _model(clock: AlarmClock, plan: LoadPlan, sender: Sender) -> Model:
    shape = plan.shape
    if isinstance(shape, OpenShape):
        return OpenModel(clock, due_offsets(shape), _most_in_flight(shape, plan), sender)
    return ClosedModel(clock, closed_schedule(shape), sender, seed=plan.number)


def _most_in_flight(shape: OpenShape, plan: LoadPlan) -> int | None:
    permitted = None if plan.limits is None else plan.limits.most_users
    known = [most for most in (shape.max_in_flight, permitted) if most is not None]
    return min(known, default=None)
