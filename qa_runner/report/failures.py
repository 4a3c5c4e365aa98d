"""Requests without success, grouped by cause, each with an example and a way to repeat it."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qa_runner.report.format import plural, wall_time
from qa_runner.report.source import Source
from qa_runner.result import Attempt, LoadResult
from qa_runner.table import Table

__all__ = ["Group", "cause_words", "groups", "rows"]

_MOST_GROUPS = 20
_EXAMPLE_CHARACTERS = 1200
_NUMBERS = re.compile(r"\d+")


@dataclass
class Group:
    """Failures of one cause; ``first`` and ``last`` are (session, seconds)."""

    outcome: str
    status: int
    error: str
    count: int = 0
    times: list[tuple[float, float]] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    example: str = ""
    curl: str = ""


def groups(source: Source) -> list[Group]:
    """The causes over the latest attempts, the most frequent first."""
    found: dict[tuple[str, int, str], Group] = {}
    for step in source.run.steps:
        if step.latest is not None:
            _gather(source.samples(step.latest), step.latest, found)
    return sorted(found.values(), key=lambda group: (-group.count, group.outcome, group.error))


def _gather(samples: Table, attempt: Attempt, found: dict[tuple[str, int, str], Group]) -> None:
    outcomes, errors, parts = (samples.text(name) for name in ("outcome", "error", "part"))
    statuses = np.nan_to_num(samples.number("status"))
    finished, due = samples.number("finished"), samples.number("due")
    times = np.where(np.isfinite(finished), finished, due)
    for row, outcome in enumerate(outcomes):
        if outcome == "success":
            continue
        # Errors that differ by a number only (an id, a duration) are one cause.
        key = (outcome, int(statuses[row]), _NUMBERS.sub("#", errors[row]))
        group = found.get(key)
        if group is None:
            group = found[key] = Group(outcome, key[1], errors[row])
        group.count += 1
        group.parts[parts[row]] += 1
        group.times.append((float(attempt.session), float(times[row])))
        if not group.example:
            group.example = samples.text("excerpt")[row]
        if not group.curl:
            load = _load_of(attempt, samples, row)
            group.curl = curl(load, int(np.nan_to_num(samples.number("iteration")[row])))


def _load_of(attempt: Attempt, samples: Table, row: int) -> LoadResult | None:
    number = samples.number("load")[row]
    loads = [load for part in attempt.parts for load in part.loads]
    return next((load for load in loads if load.number == number), None)


def curl(load: LoadResult | None, iteration: int) -> str:
    """A command that sends the load's request once; empty if it is not known."""
    if load is None or not load.request:
        return ""
    head, _, body = load.request.replace("\r\n", "\n").partition("\n\n")
    first, *headers = head.split("\n")
    method, _, url = first.partition(" ")

    def filled(text: str) -> str:
        text = text.replace("{i}", str(iteration + 1))
        return text.replace("{tag}", load.tag) if load.tag else text

    words = ["curl", "-i", "-X", method, shlex.quote(filled(url))]
    for header in headers:
        words += ["-H", shlex.quote(filled(header))]
    if body:
        words += ["--data-raw", shlex.quote(filled(body))]
    return " ".join(words)


def cause_words(group: Group) -> str:
    """What the client saw: "answered HTTP 500 'database is locked'"."""
    # The engine's texts begin with the status, which is said already.
    detail = group.error.removeprefix(f"HTTP {group.status}").lstrip(": ")
    said = f" '{detail}'" if detail else ""
    if group.outcome in ("server error", "client error", "throttled"):
        status = f" HTTP {group.status}" if group.status else ""
        return f"answered{status}{said}"
    return {
        "timeout": f"given up after the timeout{said}",
        "connection error": f"left without a connection{said}",
        "invalid": f"answered HTTP {group.status} without a valid body{said}",
        "dropped": f"not started because too many were in flight{said}",
        "cancelled": "cut off when the run was stopped",
    }.get(group.outcome, f"answered otherwise ({group.outcome}){said}")


def rows(source: Source) -> dict[str, Any]:
    """The groups for the template, or in words why there are none."""
    every = groups(source)
    listed = []
    for group in every[:_MOST_GROUPS]:
        known = sorted(moment for moment in group.times if np.isfinite(moment[1]))
        first, last = (known[0], known[-1]) if known else ((0.0, np.nan), (0.0, np.nan))
        listed.append(
            {
                "outcome": group.outcome,
                "status": str(group.status) if group.status else "",
                "error": group.error or group.outcome,
                "count": f"{group.count:,}",
                "first": wall_time(source.session(first[0]), first[1]),
                "last": wall_time(source.session(last[0]), last[1]),
                "parts": [
                    {"id": part, "count": f"{count:,}"}
                    for part, count in sorted(group.parts.items())
                ],
                "example": group.example[:_EXAMPLE_CHARACTERS],
                "curl": group.curl,
            }
        )
    more = len(every) - len(listed)
    return {
        "rows": listed,
        "total": f"{sum(group.count for group in every):,}",
        "more": plural(more, "rarer cause") if more else "",
        "none": "" if every else _no_failure(source),
    }


def _no_failure(source: Source) -> str:
    latest = (step.latest for step in source.run.steps)
    sent = any(len(source.samples(attempt)) for attempt in latest if attempt is not None)
    return "Every request succeeded." if sent else "No request was sent."
