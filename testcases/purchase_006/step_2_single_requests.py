"""Step 2: single requests."""

from __future__ import annotations

from statistics import median

from qa_runner import Param, Sequential, Step, StepContext, part, percentile

from .requests import purchase

EXPECTED = "Step 2, expected results"


class SingleRequests(Step):
    """How long one request takes when nothing else is going on, and how much that varies.

    The requests of this step are the baseline that later steps compare with.
    """

    number = 2
    title = "Single requests"
    figure = "02_single_request_performance"
    chart = "response_times"
    provides = ("baseline",)

    def __init__(self) -> None:
        self._response_times: list[float] = []

    @part(
        "2.1",
        "{requests} requests, one at a time",
        requests=Param(10),
        pause=Param(1.0, smoke=0.1, unit="s", zero=True),
        word=Param("Perf Test"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda requests, pause, **_: requests * (pause + 0.1),
        loads=lambda requests, pause, **_: Sequential(requests=requests, pause_seconds=pause),
        criteria=(
            "success_rate == 100 %  # every request answers 201",
            "response_time mean < 2 s  # average below two seconds",
            "response_time stddev < 0.5 s  # no significant variance",
        ),
        source=EXPECTED,
    )
    def one_at_a_time(
        self, ctx: StepContext, requests: int, pause: float, word: str, timeout: float
    ) -> None:
        """With a pause after each answer."""
        shape = Sequential(requests=requests, pause_seconds=pause)
        sent = ctx.load(shape, purchase(ctx, word), timeout=timeout)
        self._keep_baseline(ctx, sent.response_times())

    @part(
        "2.2",
        "{requests} requests back to back",
        requests=Param(20),
        word=Param("Consistency"),
        timeout=Param(10.0, unit="s"),
        seconds=lambda requests, **_: requests * 0.1,
        loads=lambda requests, **_: Sequential(requests=requests),
        criteria=(
            "success_rate == 100 %",
            "response_time stddev < 0.5 s  # standard deviation",
            "response_time max <= 5 s  # no outliers",
            "response_time drift < 0.5 s  # minimal degradation over time",
        ),
        source="Step 2, expected consistency",
    )
    def back_to_back(self, ctx: StepContext, requests: int, word: str, timeout: float) -> None:
        """Each as soon as the one before is answered."""
        sent = ctx.load(Sequential(requests=requests), purchase(ctx, word), timeout=timeout)
        self._keep_baseline(ctx, sent.response_times())

    def _keep_baseline(self, ctx: StepContext, response_times: list[float]) -> None:
        self._response_times += response_times
        if self._response_times:
            ctx.provide(
                "baseline",
                median_seconds=median(self._response_times),
                p95_seconds=percentile(self._response_times, 95),
                requests=len(self._response_times),
            )
