"""What ``result.json`` holds, as types that describe themselves: the source of its JSON Schema.

Fields are only ever added; what would be misread raises the version, and with it the address.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from qa_runner.check_result import Level
from qa_runner.result import Status
from qa_runner.verdict import Verdict

__all__ = [
    "SCHEMA",
    "VERSION",
    "Case",
    "Check",
    "Criterion",
    "Finding",
    "Load",
    "Metric",
    "Part",
    "ResponseTime",
    "Result",
    "Run",
    "Step",
    "Target",
    "Tool",
    "schema",
]

VERSION: Final = 1
SCHEMA: Final = "urn:qa-runner:result:1"

Number = Annotated[str, Meta(description='Number of the part in the test case, such as "3.1".')]
Seconds = Annotated[float, Meta(description="Seconds that it took.", ge=0)]
Count = Annotated[int, Meta(ge=0)]
Judgement = Annotated[
    Verdict,
    Meta(
        description="PASS; FAIL; ERROR: could not run, or the load generator was the bottleneck; "
        "INCONCLUSIVE: not measured, never a pass; SKIPPED: not part of this run."
    ),
]


class _Object(msgspec.Struct, kw_only=True):
    """Every field is always there; what is not known is null or empty."""


class Tool(_Object):
    """What wrote this document."""

    name: str
    version: Annotated[str, Meta(description="Of the qa-runner that made the run.")]


class Case(_Object):
    """The test case."""

    id: str
    name: str
    description: str


class Run(_Object):
    """The run."""

    id: Annotated[str, Meta(description="Name of its folder.")]
    status: Annotated[
        Status,
        Meta(
            description="How it ended: finished; interrupted by the user; crashed; stopped to "
            "protect the target; running, also of one that was killed."
        ),
    ]
    stop_reason: Annotated[str, Meta(description="Why it did not come to its end, or empty.")]
    profile: Annotated[str, Meta(description="full: the times of the test case's text.")]
    scope: Annotated[
        str, Meta(description="What the verdict is of, where it is not of the whole case.")
    ]
    started: Annotated[str, Meta(description="ISO 8601 with offset.")]
    finished: Annotated[str, Meta(description="ISO 8601 with offset; empty if it did not.")]
    duration_seconds: Seconds
    overrides: Annotated[list[str], Meta(description="Parameters and limits given by option.")]
    configured: Annotated[list[str], Meta(description="Those given by the configuration.")]


class Target(_Object):
    """What was tested."""

    name: str
    url: str
    environment: str
    version: Annotated[
        str, Meta(description="As far as it is known; of several each with its steps.")
    ]
    faults: Annotated[list[str], Meta(description="Faults switched on in the demo.")]
    facts: dict[str, str]


class Criterion(_Object):
    """A criterion with what was measured, in ``unit``."""

    id: Annotated[str, Meta(description="The same in every run of the case.")]
    step: int
    part: Annotated[str, Meta(description='Such as "3.1"; empty for one over the whole step.')]
    verdict: Judgement
    counts: Annotated[
        bool, Meta(description="Whether it counts in the verdict of the run: no prerequisite does.")
    ]
    expression: Annotated[str, Meta(description='Such as "response_time p(95) < 5 s".')]
    metric: str
    tag: Annotated[str, Meta(description="Which of the requests, or empty for all.")]
    aggregate: Annotated[str, Meta(description='Such as "p(95)"; empty for a single value.')]
    operator: Annotated[str, Meta(description="One of <, <=, >, >= and ==.")]
    limit: float
    document_limit: Annotated[
        float | None, Meta(description="The limit of the test case's text, where overridden.")
    ]
    unit: Annotated[str, Meta(description="Of measured, interval, limit and document_limit.")]
    measured: Annotated[float | None, Meta(description="null: not measured; reason says why.")]
    beyond: Annotated[
        bool, Meta(description='The true value is worse than measured: "not within 30 s".')
    ]
    interval: Annotated[
        tuple[float, float] | None, Meta(description="95 % confidence interval of measured.")
    ]
    sample_size: int | None
    reason: Annotated[str, Meta(description="Why it could not be judged, or empty.")]
    note: str
    wish: Annotated[str, Meta(description="What the text wishes beyond the limit.")]
    source: Annotated[str, Meta(description="Where in the test case's text it stands.")]
    evidence: Annotated[str, Meta(description="Anchor in report.html, without the #.")]


class ResponseTime(_Object):
    """Of the answered requests, in seconds, from when each was due to its complete answer."""

    requests: Count
    mean: float
    median: float
    p90: float
    p95: float
    p99: float
    max: float


class Load(_Object):
    """A load as it was sent."""

    number: Annotated[int, Meta(description="As in the column load of samples.csv.")]
    role: Annotated[str, Meta(description="main is judged; the others stand beside it.")]
    shape: Annotated[str, Meta(description='In words, such as "burst of 15".')]
    connections: str
    duration_seconds: Seconds
    requests: Annotated[Count, Meta(description="Due, also those that were not sent.")]
    outcomes: Annotated[
        dict[str, int], Meta(description='Requests by outcome, such as "success" or "timeout".')
    ]
    successes_per_second: Annotated[
        float | None,
        Meta(
            description="Successes over the time from the first request due to the last success; "
            "null if that cannot be told."
        ),
    ]
    response_time: ResponseTime | None
    stop_reason: str


class Metric(_Object):
    """What a part recorded itself, in ``unit``."""

    name: str
    tag: str
    value: float | None
    unit: str
    beyond: Annotated[bool, Meta(description="The true value is worse than value.")]
    reason: Annotated[str, Meta(description="Why it could not be measured, or empty.")]


class Part(_Object):
    """A part of the latest attempt of a step."""

    id: Number
    title: str
    verdict: Judgement
    duration_seconds: Seconds
    error: Annotated[str, Meta(description="What ended it early, or empty.")]
    loads: list[Load]
    metrics: list[Metric]
    notes: list[str]


class Step(_Object):
    """A step; of its attempts the latest counts."""

    number: int
    title: str
    purpose: str
    verdict: Judgement
    selected: Annotated[bool, Meta(description="Whether it counts in the verdict of the run.")]
    attempts: Annotated[Count, Meta(description="0: it did not run.")]
    duration_seconds: Seconds
    error: str
    stale: Annotated[
        str, Meta(description="Why it may no longer hold, after an earlier step was rerun.")
    ]
    parts: list[Part]


class Finding(_Object):
    """What went wrong, as the report says it."""

    rule: Annotated[str, Meta(description="Name of the rule that found it.")]
    sentence: str
    remedy: Annotated[str, Meta(description="What to do about it, or empty.")]
    evidence: Annotated[str, Meta(description="Anchor in report.html, without the #, or empty.")]
    criteria: Annotated[list[str], Meta(description="Ids of those that it explains best.")]


class Check(_Object):
    """What was looked at before the load."""

    id: str
    title: str
    level: Level
    text: str
    remedy: str
    criteria: Annotated[list[str], Meta(description="Ids of those that cannot be measured.")]
    session: Annotated[int, Meta(description="1 for the run, more for its reruns.")]


class Result(_Object):
    """A run of qa-runner for programs: verdict, criteria, steps, findings, environment, checks.

    Texts are as the report shows them: at most 4000 characters, with control characters and marks
    that reorder text spelt out.
    """

    schema: Literal["urn:qa-runner:result:1"] = msgspec.field(name="$schema")
    schema_version: Annotated[Literal[1], Meta(description="Raised if older readers misread it.")]
    tool: Tool
    test_case: Case
    run: Run
    verdict: Judgement
    reason: Annotated[str, Meta(description="In a sentence or two, why the verdict is what it is.")]
    counts: Annotated[
        dict[str, int], Meta(description="How many criteria that count have each verdict.")
    ]
    target: Target
    criteria: Annotated[
        list[Criterion],
        Meta(
            description="Of the latest attempts, in the document's order; those that the run ended "
            "before are INCONCLUSIVE."
        ),
    ]
    excluded: Annotated[
        list[str], Meta(description="Criteria that do not apply to this target, with the reason.")
    ]
    steps: list[Step]
    findings: Annotated[list[Finding], Meta(description="The most telling first, five at most.")]
    environment: Annotated[dict[str, str], Meta(description="The machine that sent the load.")]
    checks: list[Check]
    notes: list[str]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document, draft 2020-12."""
    _, found = msgspec.json.schema_components([Result], ref_template="#/$defs/{name}")
    for described in found.values():
        # Docstrings come as they stand in the code.
        described["description"] = " ".join(described["description"].split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **found.pop(Result.__name__),
        "$defs": found,
    }
