"""The run in the Common Test Report Format 1.0 (https://ctrf.io), as JSON."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime
from typing import Any

import msgspec

from qa_runner.report.forms.judged import Judged
from qa_runner.report.forms.story import Story
from qa_runner.report.version import measured_versions
from qa_runner.verdict import Verdict

__all__ = ["ctrf"]

_SPECIFICATION = "1.0.0"
_STATUSES = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    # It could not run; a pipeline that counts failures must not be green.
    Verdict.ERROR: "failed",
    Verdict.INCONCLUSIVE: "other",
    Verdict.SKIPPED: "skipped",
}
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:qa-runner")


def ctrf(story: Story, *, inconclusive_fails: bool = False) -> bytes:
    """The report, UTF-8.

    INCONCLUSIVE is "other", or "failed" if it is to fail; the verdict itself is ``rawStatus``.
    A test's ``id`` is the same in every run of the case.
    """
    run = story.run
    statuses = _STATUSES | ({Verdict.INCONCLUSIVE: "failed"} if inconclusive_fails else {})
    tests = [_test(story, result, statuses[result.verdict]) for result in story.results]
    counted = Counter(test["status"] for test in tests)
    report = {
        "reportFormat": "CTRF",
        "specVersion": _SPECIFICATION,
        "reportId": str(uuid.uuid5(_SPACE, f"{run.test_id} {run.run_id} {run.started}")),
        "timestamp": story.ended.isoformat(),
        "generatedBy": f"qa-runner {run.tool_version}",
        "results": {
            "tool": {"name": "qa-runner", "version": run.tool_version},
            "summary": {
                "tests": len(tests),
                **{
                    status: counted[status]
                    for status in ("passed", "failed", "skipped", "pending", "other")
                },
                "suites": 1,
                "start": _milliseconds(story.began),
                "stop": max(_milliseconds(story.ended), _milliseconds(story.began)),
            },
            "tests": tests,
            "environment": _environment(story),
            "extra": {
                "run": run.run_id,
                "verdict": run.verdict.value,
                "reason": story.reason,
                "status": run.status,
                "profile": run.profile,
                "scope": run.scope,
                "findings": [
                    {"sentence": row["sentence"], "remedy": row["remedy"]} for row in story.findings
                ],
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def _test(story: Story, result: Judged, status: str) -> dict[str, Any]:
    run, place = story.run, result.place
    test: dict[str, Any] = {
        "id": str(uuid.uuid5(_SPACE, f"{run.test_id} {result.name}")),
        "name": result.name or "-",
        "status": status,
        "duration": round(result.seconds * 1000),
        "suite": [run.test_id, *place.titles],
        "message": result.message,
        "rawStatus": result.verdict.value,
        "type": "performance",
    }
    when = story.when(place)
    if when is not None:
        test["start"], test["stop"] = map(_milliseconds, when)
    cause = story.cause(result) if status == "failed" else None
    if cause is not None:
        test["trace"] = " ".join(filter(None, (cause["sentence"], cause["remedy"])))
    criterion = result.criterion
    if criterion is not None:
        test["extra"] = {
            "criterion": criterion.expression,
            "measured": criterion.measured,
            "operator": criterion.operator,
            "limit": criterion.limit,
            "unit": criterion.unit,
            "interval": criterion.interval,
            "sampleSize": criterion.sample_size,
            "attempt": place.attempt,
        }
    return test


def _environment(story: Story) -> dict[str, Any]:
    run = story.run
    found = {
        "reportName": story.title,
        "appName": run.target.name,
        "appVersion": measured_versions(run),
        "osVersion": run.environment.get("operating system", ""),
        "testEnvironment": run.target.environment,
    }
    return {
        **{name: value for name, value in found.items() if value},
        "healthy": run.verdict is Verdict.PASS,
        "extra": {"url": run.target.url, "faults": run.target.faults, "facts": run.target.facts},
    }


def _milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1000)
