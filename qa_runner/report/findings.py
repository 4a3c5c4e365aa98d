"""What went wrong, in at most five plain sentences, each with its evidence and a remedy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qa_runner.criteria import CriterionResult
from qa_runner.report.attempts import unfinished
from qa_runner.report.criteria import anchors, criterion_row, measured_text, ordered
from qa_runner.report.failures import Group, cause_words
from qa_runner.report.format import plural, quantity
from qa_runner.report.source import Source, StepData, succeeded
from qa_runner.verdict import Verdict

__all__ = ["findings"]

_MOST = 5
_MOST_NAMES = 8
_MOST_LOGGED = 160
_TELLING = ("lock", "deadlock", "timeout")
"""Kinds of log records that say why a request failed, beyond that it did."""
_WORDS = {"==": "instead of", "<": "instead of less than", "<=": "instead of at most"}
_WORDS |= {">": "instead of more than", ">=": "instead of at least"}
_REMEDIES = (
    (
        ("database is locked", "database table is locked"),
        (
            "SQLite refuses a transaction that reads and then writes while another writes. Set "
            '"OPTIONS": {"transaction_mode": "IMMEDIATE"} (Django 5.1 and newer) and WAL.'
        ),
    ),
    (
        ("connection", "refused", "reset"),
        (
            "Look at the server's listen backlog (10 for Django's development server) and whether "
            "its process ended."
        ),
    ),
    (
        ("timeout", "timed out"),
        "Look for what the request waits on: a lock, the payment provider, or too few workers.",
    ),
    (("throttled", "429"), "The endpoint limits the rate: raise the limit for the test's address."),
)


@dataclass
class _Finding:
    sentence: str
    evidence: str
    remedy: str = ""
    also: list[str] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        also = ""
        if self.also:
            more = len(self.also) - _MOST_NAMES
            rest = f" and {more} more" if more > 0 else ""
            also = f" Also affected: {', '.join(self.also[:_MOST_NAMES])}{rest}."
        return {
            "sentence": self.sentence + also,
            "evidence": self.evidence,
            "remedy": self.remedy,
        }


def findings(source: Source) -> dict[str, Any]:
    """The sentences for the template and how many were left out, or in words why there are none."""
    known = anchors(source.run)
    found = (
        _incomplete(source) + _crashes(source) + _failed(source, known) + _unmeasured(source, known)
    )
    more = len(found) - _MOST
    return {
        "rows": [finding.view() for finding in found[:_MOST]],
        "more": plural(more, "more finding") if more > 0 else "",
        "none": "" if found else _nothing(source),
    }


def _nothing(source: Source) -> str:
    if any(result.verdict is Verdict.PASS for result in source.run.criteria()):
        return "Nothing: every criterion that was judged has passed."
    return "This is not known: no criterion was judged."


def _incomplete(source: Source) -> list[_Finding]:
    """Steps of which the run folder no longer holds every request that the run counted."""
    found = []
    for step in source.run.steps:
        if step.latest is None:
            continue
        loads = [load for part in step.latest.parts for load in part.loads]
        counted = sum(sum(load.outcomes.values()) for load in loads)
        held = len(source.samples(step.latest))
        if held < counted:
            sentence = (
                f"The run folder holds {held:,} of the {counted:,} requests of step {step.number}: "
                "its figures are incomplete, its verdicts are those of the run."
            )
            found.append(_Finding(sentence, f"step-{step.number}"))
    return found


def _crashes(source: Source) -> list[_Finding]:
    found = []
    for step in source.run.steps:
        if step.latest is None:
            continue
        if unfinished(step.latest):
            sentence = f"Attempt {step.latest.number} of step {step.number} did not finish."
            found.append(_Finding(sentence, f"step-{step.number}"))
        if step.latest.error:
            sentence = f"Step {step.number} could not run: {step.latest.error}"
            found.append(_Finding(sentence, f"step-{step.number}"))
        found += [
            _Finding(f"Part {part.id} could not run: {part.error}", f"part-{part.id}")
            for part in step.latest.parts
            if part.error and part.error != step.latest.error
        ]
    return found


def _failed(source: Source, known: set[str]) -> list[_Finding]:
    """One for each part or step with failed criteria; those of the same cause are joined."""
    found: dict[str, _Finding] = {}
    by_owner: dict[tuple[str, bool], list[CriterionResult]] = {}
    for result in source.run.criteria():
        if result.verdict in (Verdict.FAIL, Verdict.ERROR):
            # Memory and CPU are no matter of requests that failed.
            of_requests = not result.metric.startswith(("server_memory", "server_cpu"))
            owner = result.id.split("-", maxsplit=1)[0]
            by_owner.setdefault((owner, of_requests), []).append(result)
    for (owner, of_requests), results in by_owner.items():
        first, *others = ordered(results)
        cause, remedy, signature = _cause(source, owner) if of_requests else ("", "", "")
        names = [other.id for other in others]
        # The same cause again needs no sentence of its own, whatever the counts.
        key = remedy or signature or f"{owner} {of_requests}"
        if key in found:
            found[key].also += [first.id, *names]
            continue
        said = cause or (f": {first.note.rstrip('.')}" if first.note else "")
        sentence = f"{first.id}: {_compared(first)}{said}."
        evidence = criterion_row(first, known)["evidence"]
        found[key] = _Finding(sentence, evidence, remedy, names)
    return list(found.values())


def _compared(result: CriterionResult) -> str:
    limit = quantity(result.limit, result.unit)
    words = f"{measured_text(result)} {_WORDS[result.operator]} {limit}"
    if result.verdict is Verdict.ERROR and result.reason:
        words += f", not judged: {result.reason}"
    return words


def _cause(source: Source, owner: str) -> tuple[str, str, str]:
    """What became of the requests of a part or a step, and a remedy where one is known.

    The third tells one cause from another; all are empty where every request succeeded.
    """
    step_number = owner.split(".", maxsplit=1)[0]
    step = next((held for held in source.run.steps if str(held.number) == step_number), None)
    data = source.step(step) if step else None
    if data is None:
        return "", "", ""
    samples = data.main(owner if "." in owner else "")
    failed = samples.where(~succeeded(samples))
    statuses = np.nan_to_num(failed.number("status")).astype(int).tolist()
    causes = Counter(zip(failed.text("outcome"), statuses, failed.text("error"), strict=True))
    if not causes:
        return "", "", ""
    (outcome, status, error), count = causes.most_common(1)[0]
    words = cause_words(Group(outcome, status, error))
    were = "was" if count == 1 else "were"
    text = f": {count:,} of {plural(len(samples), 'request')} {were} {words}"
    logged = _logged(data, owner)
    if logged:
        text += f"; the server log says \u201c{logged}\u201d"
    signature = f"{outcome} {status} {error} {logged}".lower()
    remedy = next((words for signs, words in _REMEDIES if any(s in signature for s in signs)), "")
    return text, remedy, signature


def _logged(data: StepData, owner: str) -> str:
    """The most frequent error of a known kind in the server log meanwhile, without its head."""
    log = data.series["log"]
    part = next((held for held in data.attempt.parts if held.id == owner), None)
    if part is not None:
        log = log.between(part.start, part.end)
    pairs = zip(log.text("kind"), log.text("text"), strict=True)
    # What stands last in a record is the exception; date, level and logger stand before it.
    texts = Counter(text.rsplit(": ", 1)[-1] for kind, text in pairs if kind in _TELLING)
    return texts.most_common(1)[0][0][:_MOST_LOGGED] if texts else ""


def _unmeasured(source: Source, known: set[str]) -> list[_Finding]:
    by_reason: dict[str, list[CriterionResult]] = {}
    for result in source.run.criteria():
        if result.verdict is Verdict.INCONCLUSIVE:
            by_reason.setdefault(result.reason, []).append(result)
    found = []
    for reason, (first, *others) in by_reason.items():
        sentence = f"{first.id} could not be judged: {reason.rstrip('.')}."
        evidence = criterion_row(first, known)["evidence"]
        found.append(_Finding(sentence, evidence, "", [other.id for other in others]))
    return found
