"""What the runner tells those who listen: frozen values, in the order in which things happen."""

from __future__ import annotations

from dataclasses import dataclass

from qa_runner.result import PartResult, RunResult, StepResult

__all__ = [
    "Event",
    "LoadProgress",
    "Notice",
    "PartFinished",
    "PartStarted",
    "RunFinished",
    "RunStarted",
    "StepFinished",
    "StepStarted",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; ``time`` is seconds on the session's clock."""

    time: float


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The target answers and the first step is about to begin."""

    run: RunResult
    folder: str
    expected_seconds: float


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    """A step begins."""

    number: int
    title: str
    attempt: int


@dataclass(frozen=True, slots=True)
class PartStarted(Event):
    """A part begins."""

    step: int
    id: str
    title: str
    expected_seconds: float


@dataclass(frozen=True, slots=True)
class LoadProgress(Event):
    """How far the current load is.

    ``expected`` is None where the count is not known ahead; ``fraction`` (0 to 1) is of its
    requests or of its time.
    """

    part: str
    done: int
    expected: int | None
    succeeded: int
    in_flight: int
    fraction: float


@dataclass(frozen=True, slots=True)
class PartFinished(Event):
    """A part has its verdict."""

    step: int
    result: PartResult


@dataclass(frozen=True, slots=True)
class StepFinished(Event):
    """A step has its verdict."""

    result: StepResult


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something the user should know, such as a prerequisite that is measured first."""

    text: str


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """Always the last event, whatever happened; ``run.stop_reason`` says what."""

    run: RunResult
