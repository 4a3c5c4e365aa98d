"""What step 3 of PURCHASE-006 says of the one request that follows its load."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from core_samples import sample, samples

from qa_runner import discovery
from qa_runner.load.plan import Outcome

_CASE = discovery.find("PURCHASE-006").case
step: Any = import_module(f"{_CASE.__module__}.step_3_concurrent_requests")


class Context:
    """Takes the place of a step's context: answers one request, and keeps what is recorded."""

    def __init__(self, outcome: Outcome, seconds: float, error: str) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._sent = SimpleNamespace(
            samples=samples(sample(outcome, error=error)),
            start=10.0,
            end=10.0 + seconds,
            response_times=lambda: [seconds] if outcome is Outcome.SUCCESS else [],
        )

    def request(self, *_: Any, **__: Any) -> SimpleNamespace:
        return self._sent

    def record(self, name: str, value: float, **more: Any) -> None:
        self.told.append((name, round(value, 6), more))

    def failed(self, name: str, reason: str, **more: Any) -> None:
        self.told.append((name, reason, more))


@pytest.mark.parametrize(
    ("outcome", "seconds", "error", "told"),
    [
        (Outcome.SUCCESS, 0.02, "", (0.02, {})),
        (
            Outcome.TIMEOUT,
            10.0,
            "no answer within 10 s",
            (10.0, {"beyond": True, "note": "failed: no answer within 10 s"}),
        ),
        (
            Outcome.SERVER_ERROR,
            0.0039,
            "HTTP 500: database is locked",
            (
                "no successful answer (HTTP 500 after 3.9 ms)",
                {"note": "failed: HTTP 500: database is locked"},
            ),
        ),
        (
            Outcome.CONNECTION_ERROR,
            1.5,
            "connection refused",
            (
                "no successful answer (connection refused after 1.5 s)",
                {"note": "failed: connection refused"},
            ),
        ),
    ],
    ids=["answered", "given up", "error", "refused"],
)
def test_only_a_request_that_was_given_up_was_waited_for(
    monkeypatch: pytest.MonkeyPatch,
    outcome: Outcome,
    seconds: float,
    error: str,
    told: tuple[Any, ...],
) -> None:
    monkeypatch.setattr(step, "purchase", lambda *_: None)
    ctx = Context(outcome, seconds, error)
    step._follow_up(ctx, 10.0)
    assert ctx.told == [("follow_up_time", *told)]
