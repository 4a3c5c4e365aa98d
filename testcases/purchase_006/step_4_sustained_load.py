"""Step 4: sustained load."""

from __future__ import annotations

from qa_runner import ConstantArrivalRate, Outcome, Param, Step, StepContext, part

from .requests import purchase


class SustainedLoad(Step):
    """Whether the API keeps up with a moderate load that does not wait for it."""

    number = 4
    title = "Sustained load"
    figure = "04_sustained_load_testing"
    chart = "sustained"

    @part(
        "4.1",
        "{rate:g} requests per second for {duration:g} s",
        rate=Param(2.0, unit="req/s"),
        duration=Param(120.0, smoke=10.0, unit="s"),
        max_in_flight=Param(50),
        word=Param("Sustained"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda duration, **_: duration,
        loads=lambda rate, duration, max_in_flight, **_: ConstantArrivalRate(
            rate=rate, duration_seconds=duration, max_in_flight=max_in_flight
        ),
        criteria=(
            "success_rate >= 95 %  # of the requests due",
            "requests_due_deviation <= 2 %  # about 240 requests",
            "response_time p(95) < 5 s  # under load, from the due time",
            "server_memory growth < 50 MB  # memory increase during load",
            "server_memory slope < 5 MB per 100 requests  # stable memory",
            "server_cpu p(95) < 80 %  # no significant spikes",
        ),
        source="Test 4.1, expected results; resource usage requirements",
    )
    def sustained(
        self,
        ctx: StepContext,
        *,
        rate: float,
        duration: float,
        max_in_flight: int,
        word: str,
        timeout: float,
    ) -> None:
        """Requests are due at a constant rate, whatever the server does."""
        shape = ConstantArrivalRate(
            rate=rate, duration_seconds=duration, max_in_flight=max_in_flight
        )
        sent = ctx.load(shape, purchase(ctx, word), timeout=timeout)
        planned = rate * duration
        due = len(sent.samples) - sent.samples.text("outcome").count(str(Outcome.CANCELLED))
        ctx.record("requests_due_deviation", 100 * abs(due - planned) / planned)
