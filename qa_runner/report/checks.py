"""What was looked at before the load: the checks of the last session."""

from __future__ import annotations

from collections import Counter
from typing import Any

from qa_runner.check_result import Level
from qa_runner.report.format import plural
from qa_runner.result import RunResult

__all__ = ["checks"]

_CHIPS = {
    Level.OK: ("pass", "✓"),
    Level.NOTE: ("skipped", "·"),
    Level.WARNING: ("inconclusive", "!"),
    Level.FAILURE: ("fail", "✗"),
}


def checks(run: RunResult) -> dict[str, Any]:
    """The rows and a summary; without rows if nothing was checked, as in runs of old."""
    last = max((result.session for result in run.checks), default=0)
    results = [result for result in run.checks if result.session == last]
    counted = Counter(result.level for result in results)
    words = [
        plural(counted[level], level.value)
        for level in (Level.FAILURE, Level.WARNING, Level.NOTE)
        if counted[level]
    ]
    return {
        "summary": ", ".join(words) or "nothing to object to",
        "open": bool(counted[Level.FAILURE] or counted[Level.WARNING]),
        "rows": [
            {
                "title": result.title,
                "level": result.level.value,
                "chip": _CHIPS[result.level][0],
                "icon": _CHIPS[result.level][1],
                "text": result.text,
                "remedy": result.remedy,
                "criteria": ", ".join(result.criteria),
            }
            for result in results
        ],
    }
