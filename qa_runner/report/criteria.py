"""The rows of the criteria table: what was asked, what was found, how far apart they are."""

from __future__ import annotations

from typing import Any

from qa_runner.criteria import CriterionResult
from qa_runner.report.format import apart, number, quantity
from qa_runner.result import RunResult
from qa_runner.verdict import Verdict

__all__ = ["ICONS", "URGENCY", "anchors", "criterion_row", "measured_text", "ordered"]

ICONS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.SKIPPED: "\u2013",
}
URGENCY = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
    Verdict.SKIPPED,
)
_BAR_WIDTH = 96.0
_LIMIT_AT = 0.7
"""Where the limit stands in the bar of a criterion that must stay below it."""


def ordered(results: list[CriterionResult]) -> list[CriterionResult]:
    """Failures first; within that the document's order."""
    return sorted(results, key=lambda result: URGENCY.index(result.verdict))


def anchors(run: RunResult) -> set[str]:
    """The ids that the page has for its steps and parts."""
    found = {f"step-{step.number}" for step in run.steps}
    for step in run.steps:
        if step.latest is not None:
            found |= {f"part-{part.id}" for part in step.latest.parts}
    return found


def criterion_row(result: CriterionResult, known: set[str]) -> dict[str, Any]:
    """One criterion for the template."""
    measured = measured_text(result)
    return {
        "id": result.id,
        "expression": result.expression,
        "wish": result.wish,
        "source": result.source,
        "document_limit": _document_limit(result),
        "measured": measured,
        "interval": _interval(result),
        "sample_size": f"{result.sample_size:,}" if result.sample_size is not None else "",
        "verdict": result.verdict.value,
        "icon": ICONS[result.verdict],
        "reason": result.reason if result.reason != measured else "",
        "note": result.note,
        "evidence": _evidence(result, known),
        "bar": _bar(result),
    }


def measured_text(result: CriterionResult) -> str:
    """What was found, with its unit, or what came instead of what was to be measured."""
    if result.measured is None:
        failed = result.verdict is Verdict.FAIL and result.reason
        return result.reason if failed else "not measured"
    text = apart(result.measured, result.limit, result.unit)
    return f"not within {text}" if result.beyond else text


def _document_limit(result: CriterionResult) -> str:
    if result.document_limit is None or result.document_limit == result.limit:
        return ""
    return f"{result.operator} {number(result.document_limit, 6)} {result.unit}".rstrip()


def _interval(result: CriterionResult) -> str:
    if result.interval is None:
        return ""
    # "per 100 requests" stands with the measured value already.
    unit = result.unit.partition(" per ")[0]
    low, high = (quantity(bound, unit) for bound in result.interval)
    return f"{low} to {high}"


def _evidence(result: CriterionResult, known: set[str]) -> str:
    owner = result.owner
    step = owner.split(".", maxsplit=1)[0]
    for anchor in (result.evidence, f"part-{owner}", f"step-{owner}", f"step-{step}"):
        if anchor in known:
            return anchor
    return ""


def _bar(result: CriterionResult) -> dict[str, Any] | None:
    """A bar up to the measured value with a tick at the limit, in units of its width."""
    if result.measured is None:
        return None
    measured, limit = result.measured, result.limit
    if result.unit == "%" and result.operator not in ("<", "<="):
        share, tick = measured / 100, limit / 100
    elif limit == 0:
        share, tick = (1.0 if measured > 0 else 0.0), 0.0
    else:
        tick = 0.5 if result.operator in (">", ">=") else _LIMIT_AT
        share = measured / limit * tick
    if result.beyond:
        share = 1.0
    return {
        "fill": f"{min(max(share, 0.0), 1.0) * _BAR_WIDTH:.1f}",
        "tick": f"{min(max(tick, 0.0), 1.0) * _BAR_WIDTH:.1f}",
        "over": share > 1,
        "words": measured_text(result) if result.beyond else _share_words(measured, limit),
    }


def _share_words(measured: float, limit: float) -> str:
    if limit == 0:
        return "above the limit of 0" if measured > 0 else "not above the limit of 0"
    return f"{number(100 * measured / limit)} % of the limit"
