"""Requests without success, by cause: how many, what the client saw, and what it points to."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import numpy as np

from qa_runner.load.plan import Outcome
from qa_runner.report.failures import Group, cause_words
from qa_runner.table import Table

__all__ = ["Cause", "causes_of"]

_MOST_CAUSES = 10
_NUMBERS = re.compile(r"\d+")
# Of an ad-hoc load nothing is known of the server: these say where to look first.
_HINTS = (
    ("connection refused", "nobody listens there, or the listen backlog is full"),
    ("connection reset", "the server closed the connection: look whether its process ended"),
    ("closed", "the server closed the connection before it had answered"),
    ("too many open files", "raise the limit of open files: ulimit -n"),
    ("no local port free", "connections follow too fast: leave --new-connections out"),
    ("certificate not trusted", "--insecure accepts it"),
    ("database is locked", "SQLite has one writer: transaction_mode IMMEDIATE and WAL help"),
    ("redirect", "give the address that it leads to"),
    ("unexpected status", "--status tells which statuses are a success"),
)
_HINT_OF = {
    Outcome.TIMEOUT: "look for what requests wait on: a lock, a queue, too few workers",
    Outcome.THROTTLED: "a rate limit answers, not the application",
    Outcome.DROPPED: "too many were unanswered: the server is slower than the rate",
    Outcome.SERVER_ERROR: "the server's log has the cause",
    Outcome.CLIENT_ERROR: "the request does not suit the server: method, path, body, headers",
}


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Failures alike; ``error_class`` is an Outcome, ``status`` None without a response."""

    error_class: str = msgspec.field(name="class")
    status: int | None
    error: str
    count: int
    words: str
    """What the client saw, in words."""
    hint: str
    """Where to look first; empty if nothing is known."""


def causes_of(samples: Table) -> list[Cause]:
    """The causes of what did not succeed, the most frequent first, ten at most.

    Errors that differ by a number only (an id, a duration) are one cause.
    """
    failed = samples.where(~samples.text_equals("outcome", str(Outcome.SUCCESS)))
    statuses = np.nan_to_num(failed.number("status")).astype(int).tolist()
    counted: Counter[tuple[str, int, str]] = Counter(
        zip(failed.text("outcome"), statuses, failed.text("error"), strict=True)
    )
    joined: dict[tuple[str, int, str], list[int]] = {}
    examples: dict[tuple[str, int, str], str] = {}
    for (outcome, status, error), count in counted.items():
        key = (outcome, status, _NUMBERS.sub("#", error))
        joined.setdefault(key, []).append(count)
        examples.setdefault(key, error)
    found = [_cause(key, examples[key], sum(counts)) for key, counts in joined.items()]
    return sorted(found, key=lambda cause: (-cause.count, cause.error_class))[:_MOST_CAUSES]


def _cause(key: tuple[str, int, str], error: str, count: int) -> Cause:
    outcome, status, _ = key
    hint = next((words for sign, words in _HINTS if sign in error.lower()), "")
    return Cause(
        error_class=outcome,
        status=status or None,
        error=error,
        count=count,
        words=cause_words(Group(outcome, status, error)),
        hint=hint or _HINT_OF.get(Outcome(outcome), ""),
    )
