"""Which limit is drawn over a step's values."""

from __future__ import annotations

from pathlib import Path

from run_factory import Factory, Plan

from qa_runner.report.source import Source
from qa_runner.store import RunReader


def limit(folder: Path, *criteria: str) -> float | None:
    factory = Factory(folder)
    found: list[tuple[str, float | None]] = [(text, 0.02) for text in criteria]
    factory.step(4, [Plan("4.1", "Sustained", "", 10, 10, found)])
    source = Source(RunReader(factory.write()))
    step = source.step(source.run.steps[0])
    assert step is not None
    return step.limit("response_time", "p(95)")


def test_the_limit_of_some_of_the_requests_is_not_drawn_over_all(tmp_path: Path) -> None:
    some, every = (
        "response_time{endpoint:search} p(95) < 30 ms",
        "response_time p(95) < 5 s",
    )
    assert limit(tmp_path / "some", some) is None
    assert limit(tmp_path / "both", some, every) == 5
