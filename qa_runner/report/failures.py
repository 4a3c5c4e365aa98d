"""Requests without success, grouped by cause, each with an example and a way to repeat it."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from qa_runner.report.criteria import anchors
from qa_runner.report.format import plural, wall_time
from qa_runner.report.source import Source, counted, succeeded
from qa_runner.result import Attempt, LoadResult
from qa_runner.table import Table

__all__ = ["Group", "by_cause", "cause_words", "groups", "rows"]

_MOST_GROUPS = 20
_EXAMPLE_CHARACTERS = 1200
# How a body is told that is too long, made by a function, or no text.
_LEFT_OUT = re.compile(r"… \(\d+ more characters\)|<made by [^>]+>|<\d+ bytes>")
_GLOB = re.compile(r"[{}\[\]]")
_NUMBERS = re.compile(r"\d+")
_UNKNOWN = (0.0, float("nan"))
Key = tuple[str, int, str]


@dataclass
class Group:
    """Failures of one cause; ``first`` and ``last`` are (session, seconds)."""

    outcome: str
    status: int
    error: str
    count: int = 0
    first: tuple[float, float] | None = None
    last: tuple[float, float] | None = None
    parts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    example: str = ""
    curl: str = ""


def groups(source: Source) -> list[Group]:
    """The causes over the latest attempts, the most frequent first."""
    found: dict[Key, Group] = {}
    for step in source.run.steps:
        if step.latest is not None:
            _gather(source.samples(step.latest), step.latest, found)
    return sorted(found.values(), key=lambda group: (-group.count, group.outcome, group.error))


def _gather(samples: Table, attempt: Attempt, found: dict[Key, Group]) -> None:
    failed = samples.where(~succeeded(samples))
    if not len(failed):
        return
    keys, members = by_cause(failed)
    parts, names = failed.coded("part")
    finished, due = failed.number("finished"), failed.number("due")
    times = np.where(np.isfinite(finished), finished, due)
    for key, rows in zip(keys, members, strict=True):
        first = failed.rows(rows[:1])
        group = found.get(key)
        if group is None:
            group = found[key] = Group(key[0], key[1], first.text("error")[0])
        group.count += rows.size
        for part, count in zip(*np.unique(parts[rows], return_counts=True), strict=True):
            group.parts[names[part]] += int(count)
        known = times[rows][np.isfinite(times[rows])]
        if known.size:
            moments = [(float(attempt.session), float(time)) for time in (known.min(), known.max())]
            group.first = min(group.first or moments[0], moments[0])
            group.last = max(group.last or moments[1], moments[1])
        if not group.example:
            group.example = first.text("excerpt")[0]
        if not group.curl:
            number, iteration = first.number("load")[0], first.number("iteration")[0]
            group.curl = curl(_load_of(attempt, number), int(np.nan_to_num(iteration)))


def by_cause(failed: Table) -> tuple[list[Key], list[npt.NDArray[np.intp]]]:
    """The causes (outcome, status, error) in the order of their first rows, and the rows of each.

    At least one row is needed; an error has # in place of its numbers.
    """
    outcomes, outcome_names = failed.coded("outcome")
    errors, error_texts = failed.coded("error")
    # Errors that differ by a number only (an id, a duration) are one cause.
    index: dict[str, int] = {}
    alike = [index.setdefault(_NUMBERS.sub("#", text), len(index)) for text in error_texts]
    causes, cause_texts = np.array(alike)[errors], list(index)
    statuses = np.nan_to_num(failed.number("status")).astype(np.int64)
    low, span = int(statuses.min()), int(np.ptp(statuses)) + 1
    joined = (outcomes * span + statuses - low) * len(cause_texts) + causes
    order = np.argsort(joined, kind="stable")
    edges = np.flatnonzero(np.diff(joined[order])) + 1
    members = sorted(np.split(order, edges), key=lambda rows: int(rows[0]))
    keys = [
        (outcome_names[outcomes[rows[0]]], int(statuses[rows[0]]), cause_texts[causes[rows[0]]])
        for rows in members
    ]
    return keys, members


def _load_of(attempt: Attempt, number: float) -> LoadResult | None:
    loads = [load for part in attempt.parts for load in part.loads]
    return next((load for load in loads if load.number == number), None)


def curl(load: LoadResult | None, iteration: int) -> str:
    """A command that sends the load's request once; empty if it is not known, or not whole."""
    if load is None or not load.request:
        return ""
    head, _, body = load.request.replace("\r\n", "\n").partition("\n\n")
    first, *headers = head.split("\n")
    method, _, url = first.partition(" ")

    def filled(text: str) -> str:
        text = text.replace("{i}", str(iteration + 1))
        return text.replace("{tag}", load.tag) if load.tag else text

    if _LEFT_OUT.search(load.request):
        return ""
    words = ["curl", "-i", *(["--head"] if method == "HEAD" else ["-X", shlex.quote(method)])]
    words += [*(["--globoff"] if _GLOB.search(url) else []), shlex.quote(filled(url))]
    for header in headers:
        words += ["-H", shlex.quote(filled(header))]
    if body:
        words += ["--data-raw", shlex.quote(filled(body))]
    return " ".join(words)


def _detail(group: Group) -> str:
    """The error without the status that the engine's texts begin with."""
    return group.error.removeprefix(f"HTTP {group.status}").lstrip(": ")


def cause_words(group: Group) -> str:
    """What the client saw: "answered HTTP 500 'database is locked'"."""
    detail = _detail(group)
    said = f" '{detail}'" if detail else ""
    if group.outcome in ("server error", "client error", "throttled", "other"):
        status = f" HTTP {group.status}" if group.status else ""
        return f"answered{status}{said}"
    return {
        "timeout": f"given up after the timeout{said}",
        "connection error": f"left without an answer{said}",
        "invalid": f"answered HTTP {group.status} without a valid body{said}",
        "dropped": f"due, but not started{said}",
        "cancelled": "cut off when the run was stopped",
    }.get(group.outcome, f"answered otherwise ({group.outcome}){said}")


def rows(source: Source) -> dict[str, Any]:
    """The groups for the template, or in words why there are none."""
    every, known = groups(source), anchors(source.run)
    listed = []
    for group in every[:_MOST_GROUPS]:
        first, last = group.first or _UNKNOWN, group.last or _UNKNOWN
        listed.append(
            {
                "outcome": group.outcome,
                "status": str(group.status) if group.status else "",
                "error": _detail(group),
                "count": f"{group.count:,}",
                "first": wall_time(source.session(first[0]), first[1]),
                "last": wall_time(source.session(last[0]), last[1]),
                "parts": [
                    {"id": part, "count": f"{count:,}", "known": f"part-{part}" in known}
                    for part, count in sorted(group.parts.items())
                ],
                "example": group.example[:_EXAMPLE_CHARACTERS],
                "curl": group.curl,
            }
        )
    more = len(every) - len(listed)
    return {
        "rows": listed,
        "total": plural(sum(group.count for group in every), "request"),
        "more": plural(more, "rarer cause") if more else "",
        "none": "" if every else _no_failure(source),
    }


def _no_failure(source: Source) -> str:
    latest = [step.latest for step in source.run.steps if step.latest is not None]
    sent = sum(counted(attempt) for attempt in latest)
    held = sum(len(source.samples(attempt)) for attempt in latest)
    if held < sent:
        return f"The folder holds {held:,} of the {sent:,} requests that the run counted."
    return "Every request succeeded." if held else "No request was sent."
