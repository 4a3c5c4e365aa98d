"""Step 7: error rate under stress."""

from __future__ import annotations

from qa_runner import Param, Step, StepContext, VirtualUsers, part

from .requests import purchase


class ErrorRate(Step):
    """How many requests fail under stress, how they fail, and whether failures are honest."""

    number = 7
    title = "Error rate under stress"
    figure = "07_error_rate_analysis"
    chart = "errors"

    @part(
        "7.1",
        "{requests} requests as fast as {users} users can send them",
        requests=Param(200),
        users=Param(50),
        word=Param("Stress"),
        timeout=Param(10.0, unit="s"),
        seconds=5.0,
        loads=lambda requests, users, **_: VirtualUsers(users=users, requests=requests),
        criteria=(
            "success_rate >= 70 %  # under maximum stress",
            "server_error_rate < 10 %  # server errors (5xx)",
            "timeout_rate < 20 %  # timeouts",
            "error_rate < 30 %  # total",
            "server_restarts == 0  # graceful degradation rather than crashes",
            "silent_failures == 0  # no silent failures",
            "malformed_errors == 0  # appropriate error responses",
            "unlogged_server_errors == 0  # proper logging",
        ),
        source="Test 7.1, expected error rates; error handling under load",
    )
    def stress(
        self, ctx: StepContext, requests: int, users: int, word: str, timeout: float
    ) -> None:
        """No pause between requests."""
        shape = VirtualUsers(users=users, requests=requests)
        ctx.load(shape, purchase(ctx, word), timeout=timeout)
