"""Step 3: concurrent requests."""

from __future__ import annotations

import numpy as np

from qa_runner import (
    Burst,
    Outcome,
    Param,
    Sequential,
    Staircase,
    Step,
    StepContext,
    Table,
    part,
    percentile,
)

from .requests import purchase


class ConcurrentRequests(Step):
    """How the API answers requests that arrive at the same moment, and how far it can go."""

    number = 3
    title = "Concurrent requests"
    figure = "03_concurrent_request_handling"
    chart = "concurrency"
    # Over the requests of 3.1 to 3.3.
    criteria = (
        "success_rate >= 90 %  # concurrent requests succeed",
        "response_time p(95) < 5 s  # under load",
        "duplicate_transactions == 0  # a transaction id of its own for each request",
    )
    source = "Pass/fail criteria, performance requirements"

    @part(
        "3.1",
        "{requests} simultaneous requests",
        requests=Param(5),
        word=Param("Concurrent Low"),
        timeout=Param(10.0, unit="s"),
        loads=lambda requests, **_: Burst(requests=requests),
        criteria=(
            "success_rate == 100 %  # every request answers 201",
            "duration < 5 s  # total time",
            "lock_errors == 0  # no database locking issues",
            "duplicate_transactions == 0  # unique transaction ids",
        ),
        source="Test 3.1, expected results",
    )
    def low(self, ctx: StepContext, requests: int, word: str, timeout: float) -> None:
        """Low concurrency."""
        ctx.load(Burst(requests=requests), purchase(ctx, word), timeout=timeout)

    @part(
        "3.2",
        "{requests} simultaneous requests",
        requests=Param(15),
        word=Param("Concurrent Med"),
        timeout=Param(10.0, unit="s"),
        loads=lambda requests, **_: (Burst(requests=requests), Sequential(requests=1)),
        criteria=(
            "success_rate >= 90 %  # some timeouts are allowed",
            "duration < 10 s  # total time",
            "follow_up_time < 5 s  # the server remains responsive",
        ),
        source="Test 3.2, expected results",
    )
    def medium(self, ctx: StepContext, requests: int, word: str, timeout: float) -> None:
        """Medium concurrency."""
        ctx.load(Burst(requests=requests), purchase(ctx, word), timeout=timeout)
        _follow_up(ctx, timeout)

    @part(
        "3.3",
        "{requests} requests, {stagger:g} s apart",
        requests=Param(50),
        stagger=Param(0.02, unit="s", zero=True),
        word=Param("High"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda requests, stagger, **_: requests * stagger + 1,
        loads=lambda requests, stagger, **_: (
            Burst(requests=requests, stagger_seconds=stagger),
            Sequential(requests=1),
        ),
        criteria=(
            "success_rate >= 80 %  # some failures are acceptable under extreme load",
            "duration < 30 s  # total time",
            "follow_up_time < 5 s  # the server does not become unresponsive",
            "server_restarts == 0  # the server does not crash",
        ),
        source="Test 3.3, expected results",
    )
    def high(
        self, ctx: StepContext, requests: int, stagger: float, word: str, timeout: float
    ) -> None:
        """High concurrency."""
        shape = Burst(requests=requests, stagger_seconds=stagger)
        ctx.load(shape, purchase(ctx, word), timeout=timeout)
        _follow_up(ctx, timeout)

    @part(
        "3.4",
        "Peak capacity",
        stairs=Param((1, 2, 5, 10, 20, 50), unit="users"),
        stair_duration=Param(5.0, smoke=1.0, unit="s"),
        word=Param("Peak"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda stairs, stair_duration, **_: len(stairs) * stair_duration,
        counts_for_step=False,
        loads=lambda stairs, stair_duration, **_: Staircase(
            stairs=stairs, seconds_per_stair=stair_duration
        ),
        criteria=(
            "peak_throughput >= 10 req/s  # throughput target",
            "success_rate{users:10} >= 90 %  # 10 concurrent requests efficiently",
            "response_time{users:50} p(95) < 5 s  # 50 with acceptable degradation",
        ),
        source="Performance benchmarks; scalability requirements",
    )
    def peak(
        self,
        ctx: StepContext,
        stairs: tuple[int, ...],
        stair_duration: float,
        word: str,
        timeout: float,
    ) -> None:
        """Stairs of virtual users until throughput grows no more."""
        shape = Staircase(stairs=stairs, seconds_per_stair=stair_duration)
        ctx.load(shape, purchase(ctx, word), timeout=timeout)
        rows = [
            stair
            for users in stairs
            if (stair := _stair(ctx.samples(), users, stair_duration)) is not None
        ]
        if not rows:
            ctx.not_measured("peak_throughput", "no request was answered")
            return
        peak = max(throughput for _, _, _, throughput, _, _ in rows)
        ctx.record("peak_throughput", peak)
        # The first stair that reaches nine tenths of the peak: more users only wait longer.
        knee = next(users for users, _, _, throughput, _, _ in rows if throughput >= 0.9 * peak)
        # At the last of several stairs throughput was still growing: what comes is not known.
        grew = len(rows) > 1 and knee == rows[-1][0]
        ctx.table(
            "stairs",
            "Stairs, with the response times of what succeeded",
            ("users", "requests", "succeeded", "req/s", "median s", "p95 s", "knee"),
            [(*row, "knee" if row[0] == knee and not grew else "") for row in rows],
        )
        found = f"No knee up to {knee}" if grew else f"Knee at {knee}"
        ctx.note(f"{found} virtual users; peak throughput {peak:.3g} req/s.")


def _follow_up(ctx: StepContext, timeout: float) -> None:
    """One request after the load: how long until it has succeeded."""
    sent = ctx.request(purchase(ctx, "Follow-up"), timeout=timeout)
    times = sent.response_times()
    if times:
        ctx.record("follow_up_time", times[0])
        return
    seconds = sent.end - sent.start
    why = sent.samples.text("error")[0] if len(sent.samples) else "not sent"
    if sent.samples.text_equals("outcome", Outcome.TIMEOUT).any():
        ctx.record("follow_up_time", seconds, beyond=True, note=f"failed: {why}")
        return
    # An error that comes at once is no long wait; what it says stands in the note.
    said = f"{why.partition(': ')[0]} after {_in_words(seconds)}"
    ctx.failed("follow_up_time", f"no successful answer ({said})", note=f"failed: {why}")


def _in_words(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


Stair = tuple[int, int, int, float, float | None, float | None]


def _stair(samples: Table, users: int, duration: float) -> Stair | None:
    """Users, requests, successes, throughput, median and p95 response time of a stair."""
    own = samples.where(samples.text_equals("tag", f"users:{users}"))
    if not len(own):
        return None
    succeeded = own.where(own.text_equals("outcome", str(Outcome.SUCCESS)))
    if not len(succeeded):
        return (users, len(own), 0, 0.0, None, None)
    response_times = succeeded.number("finished") - succeeded.number("due")
    # What was in flight at the stair's end is awaited, so its window can be longer.
    window = max(
        duration, float(np.ptp(np.append(succeeded.number("finished"), own.number("due"))))
    )
    return (
        users,
        len(own),
        len(succeeded),
        len(succeeded) / window,
        percentile(response_times, 50),
        percentile(response_times, 95),
    )
