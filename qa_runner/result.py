"""What a run found, as values that go to and come from ``run.json``.

Times called ``*_seconds`` or ``start``/``end`` are seconds on the clock of the session named
beside them; wall-clock times are ISO 8601 with the offset of the machine that ran.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from qa_runner.calibration import Calibration
from qa_runner.check_result import CheckResult
from qa_runner.criteria import CriterionResult
from qa_runner.errors import RunFolderError
from qa_runner.redaction import known_secrets, mask_known
from qa_runner.verdict import Verdict, combine

__all__ = [
    "SCHEMA_VERSION",
    "Attempt",
    "DataTable",
    "Fact",
    "LoadResult",
    "ParameterResult",
    "PartResult",
    "RecordedMetric",
    "RunResult",
    "Session",
    "StepResult",
    "TargetResult",
    "Window",
    "decode",
    "encode",
]

SCHEMA_VERSION = 2
"""1: samples as CSV. 2: samples as NumPy records, of which the first version would see none.

Raise it if what is added would be misread by the versions before; what they may leave out is only
added.
"""

Status = Literal["running", "finished", "interrupted", "crashed", "stopped"]
_OWN_WORDS = ("status", "verdict", "origin", "level")
"""Fields that take certain words only."""
Cell = str | int | float | bool | None


def _check_finite(what: str, values: dict[str, float]) -> None:
    """Raise ValueError for what JSON cannot hold: run.json would not read back."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{what}: {name} is {value}, which is no finite number")


class Session(msgspec.Struct, kw_only=True, frozen=True):
    """One process that measured: monotonic clocks do not survive it."""

    id: int
    wall_start: str
    monotonic_start: float
    command: str = ""
    version: str = ""
    """Of the target, as far as it was known."""
    calibration: Calibration | None = None
    """None if the load generator could not be calibrated; a note says why."""


class ParameterResult(msgspec.Struct, kw_only=True, frozen=True):
    """A parameter as used, and as the text has it where that differs."""

    name: str
    value: Any
    document_value: Any = None
    differs: bool = False
    unit: str = ""
    origin: Literal["text", "profile", "configuration", "option"] = "text"


class LoadResult(msgspec.Struct, kw_only=True, frozen=True):
    """One load that was sent: what was planned, and the count by outcome."""

    number: int
    role: str
    tag: str
    shape: str
    """In words, e.g. "burst of 15"."""
    request: str
    """Method, URL and body template; redacted."""
    connections: str
    timeout_seconds: float
    start: float
    end: float
    outcomes: dict[str, int] = {}
    stop_reason: str = ""
    generator_cpu_percent: float | None = None
    """Of one core, over the whole load; None if not known."""
    burst: int = 0
    """How many requests were meant to start together each time; 0 where none were."""
    caution: str = ""
    """In one sentence: that it came close to what the load generator can send."""


class RecordedMetric(msgspec.Struct, kw_only=True, frozen=True):
    """A metric that a step recorded itself or that could not be measured; base units.

    ``failed`` means that there is no value since what it would be of did not come about.
    """

    name: str
    value: float | None
    unit: str
    tag: str = ""
    beyond: bool = False
    failed: bool = False
    reason: str = ""
    note: str = ""


class DataTable(msgspec.Struct, kw_only=True, frozen=True):
    """Facts of a part as rows, such as the snapshot or before, after and change."""

    name: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]


class Window(msgspec.Struct, kw_only=True, frozen=True):
    """A named stretch of the session's clock that a step marked ("load", "settled")."""

    name: str
    start: float
    end: float

    def __post_init__(self) -> None:
        _check_finite(f"window {self.name}", {"start": self.start, "end": self.end})


class PartResult(msgspec.Struct, kw_only=True):
    """One part of one attempt."""

    id: str
    title: str
    verdict: Verdict
    start: float
    end: float
    parameters: list[ParameterResult] = []
    loads: list[LoadResult] = []
    metrics: list[RecordedMetric] = []
    tables: list[DataTable] = []
    windows: list[Window] = []
    criteria: list[CriterionResult] = []
    notes: list[str] = []
    error: str = ""
    source: str = ""


class Attempt(msgspec.Struct, kw_only=True):
    """One execution of a step. A rerun adds another; none is overwritten."""

    number: int
    session: int
    started: str
    verdict: Verdict
    start: float
    end: float
    parts: list[PartResult] = []
    criteria: list[CriterionResult] = []
    """Those of the step as a whole; the parts have their own."""
    error: str = ""
    reason: str = ""
    """Why it ran: "run", "rerun", or that a later step needed its facts."""
    samples: str = ""
    """File with its samples, relative to the run folder."""


class StepResult(msgspec.Struct, kw_only=True):
    """A step with all its attempts; the last one counts."""

    number: int
    title: str
    purpose: str
    figure: str
    chart: str
    verdict: Verdict
    attempts: list[Attempt] = []
    stale: str = ""
    """Why its facts may no longer hold, after an earlier step was rerun."""
    selected: bool = True
    unreached: list[CriterionResult] = []
    """Those of the latest attempt, or of none, that the run ended before; a new one starts anew."""

    @property
    def latest(self) -> Attempt | None:
        """The attempt that counts."""
        return self.attempts[-1] if self.attempts else None

    def criteria(self) -> list[CriterionResult]:
        """Those of the latest attempt: the parts' in order, also unreached, then the step's own."""
        if self.latest is None:
            return self.unreached
        return self._of_parts(self.latest) + self.unreached + self.latest.criteria

    def reached(self) -> list[CriterionResult]:
        """Those of them that the latest attempt came to."""
        return [] if self.latest is None else self._of_parts(self.latest) + self.latest.criteria

    @staticmethod
    def _of_parts(attempt: Attempt) -> list[CriterionResult]:
        return [result for part in attempt.parts for result in part.criteria]


class TargetResult(msgspec.Struct, kw_only=True, frozen=True):
    """What was tested."""

    name: str
    url: str
    environment: str
    faults: list[str] = []
    version: str = ""
    facts: dict[str, str] = {}


class Fact(msgspec.Struct, kw_only=True, frozen=True):
    """Something a step found that later steps use ("baseline")."""

    name: str
    step: int
    attempt: int
    values: dict[str, float]

    def __post_init__(self) -> None:
        _check_finite(f"fact {self.name}", self.values)


class RunResult(msgspec.Struct, kw_only=True):
    """A run: everything in ``run.json``."""

    schema_version: int = SCHEMA_VERSION
    tool_version: str
    run_id: str
    test_id: str
    test_name: str
    description: str
    status: Status
    stop_reason: str = ""
    verdict: Verdict
    scope: str = ""
    """Empty for a whole run with the text's times; else e.g. "profile smoke, step 3 only"."""
    profile: str
    selected: list[str] = []
    """What --step named; empty for all."""
    overrides: list[str] = []
    """What --set gave."""
    found_with: list[str] = []
    """Options with which a later command finds the run again, as typed."""
    configured: list[str] = []
    """Parameters and limits that qa-runner.toml gave; --set outranks them."""
    started: str
    finished: str = ""
    duration_seconds: float = 0.0
    target: TargetResult
    tag: str
    """In every e-mail address and name that this run creates."""
    environment: dict[str, str] = {}
    settings: dict[str, Any] = {}
    sessions: list[Session] = []
    steps: list[StepResult] = []
    facts: list[Fact] = []
    database_mark: dict[str, Any] | None = None
    """What the database held before the run's first request, as its probe gave it."""
    mark_session: int = 0
    """The session that took the mark; 0 if the database was never read."""
    cleaned_session: int = 0
    """The session at whose end the rows of this run were removed; 0 if they never were."""
    cleaned_rows: dict[str, int] = {}
    checks: list[CheckResult] = []
    """What was looked at before any load, in each session."""
    excluded: list[str] = []
    """Criteria that are not part of this run, each with the reason."""
    notes: list[str] = []
    reason: str = ""
    """One sentence that says why the verdict is what it is."""

    def criteria(self) -> list[CriterionResult]:
        """All judged criteria in the text's order."""
        return [result for step in self.steps for result in step.criteria()]

    def judge(self) -> Verdict:
        """The verdict over the latest attempts of the steps that belong to this run."""
        return combine(step.verdict for step in self.steps if step.selected)


def encode(run: RunResult) -> bytes:
    """``run.json``: two-space indented JSON with a final newline, without known secrets."""
    shown = _masked(msgspec.to_builtins(run)) if known_secrets() else run
    try:
        data = msgspec.json.encode(shown)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_readable(msgspec.to_builtins(shown)))
    return msgspec.json.format(data, indent=2) + b"\n"


def _masked(value: Any, key: str = "") -> Any:
    """With known secrets masked, except in what is one of our own words."""
    if isinstance(value, str):
        return value if key in _OWN_WORDS else mask_known(value)
    if isinstance(value, dict):
        return {name: _masked(item, name) for name, item in value.items()}
    return [_masked(item, key) for item in value] if isinstance(value, list) else value


def _readable(value: Any) -> Any:
    """With half characters, as in a file name that is no UTF-8, written out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_readable(key): _readable(item) for key, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list) else value


def decode(data: bytes, where: str) -> RunResult:
    """Read ``run.json``.

    Raises RunFolderError, naming ``where``, if it is damaged or of a newer schema.
    """

    class Head(msgspec.Struct):
        schema_version: int

    try:
        version = msgspec.json.decode(data, type=Head).schema_version
        if version > SCHEMA_VERSION:
            raise RunFolderError(
                f"{where} has schema version {version}, this qa-runner reads up to "
                f"{SCHEMA_VERSION}; upgrade qa-runner"
            )
        run = msgspec.json.decode(data, type=RunResult)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunFolderError(f"{where} is damaged: {error}") from None
    # Whatever is written into the run from now on is of this version.
    run.schema_version = SCHEMA_VERSION
    return run
