"""What went wrong, in at most five plain sentences, each with its evidence and a remedy.

The causes come from the rules in ``diagnosis``; here they are shared out, ranked and put into
words, which are plain text for page, terminal and other reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qa_runner.criteria import CriterionResult
from qa_runner.report.criteria import anchors, criterion_row, measured_text, ordered
from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.registry import diagnose
from qa_runner.report.format import plural, quantity
from qa_runner.report.source import Source
from qa_runner.verdict import Verdict

__all__ = ["findings"]

_MOST = 5
_MOST_NAMES = 8
_BESIDE = 0.25
"""A cause is told beside a greater one from this share of a criterion on."""
_WHOLE = 1.05
"""Shares of causes that speak of different requests add up to no more, but for rounding."""
_WORDS = {"==": "instead of", "<": "instead of less than", "<=": "instead of at most"}
_WORDS |= {">": "instead of more than", ">=": "instead of at least"}
_URGENCY = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class _Told:
    """A finding with the criteria that it explains best, most urgent first."""

    finding: Finding
    results: list[CriterionResult]

    def rank(self, position: dict[str, int]) -> tuple[int, int, int]:
        """Smaller comes first: what is told by itself, then by urgency and by how much it explains.

        ``position`` is the place of each criterion in the test case.
        """
        if self.finding.standalone:
            return -1, 0, 0
        if not self.results:
            return len(_URGENCY), 0, 0
        first = self.results[0]
        same = sum(result.verdict is first.verdict for result in self.results)
        return _URGENCY.index(first.verdict), -same, position[first.id]


def findings(source: Source) -> dict[str, Any]:
    """The sentences for the template and how many were left out, or in words why there are none.

    Each row has ``rule``, ``sentence``, ``evidence`` (an anchor or empty), ``remedy`` (a sentence
    or empty), ``criteria`` (the ids of those that it explains best) and ``likely`` (whether it may
    stand as the likely cause: what tells of the run itself does not).
    """
    known = anchors(source.run)
    told = _told(source)
    more = len(told) - _MOST
    return {
        "rows": [_row(held, known) for held in told[:_MOST]],
        "more": plural(more, "more finding") if more > 0 else "",
        "none": "" if told else _nothing(source),
    }


def _nothing(source: Source) -> str:
    if any(result.verdict is Verdict.PASS for result in source.run.criteria()):
        if source.run.status != "finished":
            return "Nothing until the run ended: every criterion that was judged has passed."
        return "Nothing: every criterion that was judged has passed."
    return "This is not known: no criterion was judged."


def _told(source: Source) -> list[_Told]:
    """The findings that are told, each criterion with the one that explains it best."""
    found = diagnose(Evidence(source))
    results = {result.id: result for result in source.run.criteria()}
    best: dict[str, int] = {}
    for number, finding in enumerate(found):
        for name, share in finding.explains.items():
            if name in results and share > _share(found, best, name):
                best[name] = number
    told = []
    covered = {name: found[winner].explains[name] for name, winner in best.items()}
    for number, finding in enumerate(found):
        mine = [results[name] for name, winner in best.items() if winner == number]
        if mine or finding.standalone or _beside(finding, covered):
            told.append(_Told(finding, ordered(_in_order(mine, results))))
    position = {name: place for place, name in enumerate(results)}
    return sorted(told, key=lambda held: held.rank(position))


def _beside(finding: Finding, covered: dict[str, float]) -> bool:
    """Whether it explains a part of a criterion that others leave open; counts it as covered."""
    more = {
        name: covered[name] + share
        for name, share in finding.explains.items()
        if share >= _BESIDE and covered.get(name, 1.0) + share <= _WHOLE
    }
    covered |= more
    return bool(more)


def _share(found: list[Finding], best: dict[str, int], name: str) -> float:
    return found[best[name]].explains[name] if name in best else 0.0


def _in_order(
    mine: list[CriterionResult], results: dict[str, CriterionResult]
) -> list[CriterionResult]:
    names = {result.id for result in mine}
    return [result for result in results.values() if result.id in names]


def _row(told: _Told, known: set[str]) -> dict[str, Any]:
    finding, results = told.finding, told.results
    evidence = finding.evidence if finding.evidence in known else ""
    if not evidence and results:
        evidence = criterion_row(results[0], known)["evidence"]
    return {
        "rule": finding.rule,
        "sentence": _sentence(finding, results),
        "evidence": evidence,
        "remedy": finding.remedy,
        "criteria": [result.id for result in results],
        "likely": finding.likely,
    }


def _sentence(finding: Finding, results: list[CriterionResult]) -> str:
    if not results or finding.standalone:
        text = f"{finding.cause[:1].upper()}{finding.cause[1:]}."
        if not finding.likely:
            return text
        return text + _also([result.id for result in results])
    first, *others = results
    cause = f": {finding.cause}" if finding.cause else ""
    if first.verdict is Verdict.INCONCLUSIVE:
        text = f"{first.id} could not be judged{cause}."
    else:
        text = f"{first.id}: {_compared(first)}{cause}."
    return text + _also([other.id for other in others])


def _compared(result: CriterionResult) -> str:
    limit = quantity(result.limit, result.unit)
    words = f"{measured_text(result)} {_WORDS[result.operator]} {limit}"
    if result.verdict is Verdict.ERROR and result.reason:
        words += f", not judged: {result.reason}"
    return words


def _also(names: list[str]) -> str:
    if not names:
        return ""
    more = len(names) - _MOST_NAMES
    rest = f" and {more} more" if more > 0 else ""
    return f" Also affected: {', '.join(names[:_MOST_NAMES])}{rest}."
