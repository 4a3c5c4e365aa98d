"""What the figures were measured under: the data, the mode of the server, what is left out."""

from __future__ import annotations

from collections import Counter

from qa_runner.report.format import plural
from qa_runner.report.source import Source

__all__ = ["conditions"]

_DEBUG = "DEBUG"
_UNKNOWN = "not known"


def conditions(source: Source) -> list[tuple[str, str]]:
    """Facts as pairs of a name and words."""
    last = max((result.session for result in source.run.checks), default=0)
    found = {result.id: result.text for result in source.run.checks if result.session == last}
    return [
        ("Data in the target before the run", found.get("dataset") or _UNKNOWN),
        ("Debug mode and development server", found.get("development") or _mode(source)),
        ("Left out of the judgement", _left_out(source)),
    ]


def _mode(source: Source) -> str:
    """As the target itself and the step that takes its snapshot told it."""
    told = [
        f"DEBUG {'on' if row[1] else 'off'}"
        for step in source.run.steps
        for part in (step.latest.parts if step.latest else [])
        for table in part.tables
        for row in table.rows
        if len(row) > 1 and row[0] == _DEBUG and isinstance(row[1], bool)
    ]
    server = source.run.target.facts.get("server", "")
    return ", ".join([*told[:1], *([server] if server else [])]) or _UNKNOWN


def _left_out(source: Source) -> str:
    """Requests beside the judged ones, by role. There is no warm-up that could be left out."""
    counted: Counter[str] = Counter()
    for step in source.run.steps:
        if step.latest is not None:
            counted.update(source.samples(step.latest).counts("role"))
    beside = sorted((role, count) for role, count in counted.items() if role not in ("main", ""))
    if not beside:
        return "nothing, no warm-up either"
    listed = ", ".join(plural(count, f"{role} request") for role, count in beside)
    return f"{listed}; no warm-up"
