"""Criteria: parse and validate what an author wrote, judge what was measured.

The form is ``metric[{tag:value}] [aggregate] operator limit [# what the text wishes]``, as in
``response_time{users:50} p(95) < 5 s  # acceptable degradation``.
"""

from __future__ import annotations

import math
import operator as operators
import re
from collections.abc import Callable, Mapping

import msgspec

from qa_runner.errors import CriterionError, UnknownName
from qa_runner.metric import Kind, Metric, is_aggregate, parse_quantity
from qa_runner.verdict import Verdict

__all__ = ["Criterion", "CriterionResult", "Measurement", "judge", "override", "parse"]

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "==": operators.eq,
}
_FORM = re.compile(
    r"(?P<metric>[a-z][a-z0-9_]*)"
    r"(?:\{(?P<tag>[A-Za-z0-9_.:\- ]+)\})?"
    r"(?:\s+(?P<aggregate>[a-z]+(?:\([\d.]+\))?))?"
    r"\s*(?P<operator><=|>=|==|<|>)\s*"
    r"(?P<limit>[^#]+?)\s*(?:\#\s*(?P<wish>.*))?\Z"
)

_LARGEST_WRITTEN_OUT = 1e15


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One rule with its threshold.

    ``limit`` is in ``unit`` as the author wrote it; ``factor`` base units are one of that.
    ``document_limit`` is the limit of the test case's text, where the run overrides it.
    """

    id: str
    metric: str
    tag: str = ""
    aggregate: str = ""
    operator: str
    limit: float
    unit: str
    factor: float = 1.0
    wish: str = ""
    source: str = ""
    load: bool = False
    requires: str = ""
    document_limit: float | None = None

    @property
    def expression(self) -> str:
        """The criterion as text, without the wish."""
        tag = f"{{{self.tag}}}" if self.tag else ""
        aggregate = f" {self.aggregate}" if self.aggregate else ""
        return f"{self.metric}{tag}{aggregate} {self.operator} {self.limit_text}"

    @property
    def limit_text(self) -> str:
        """The limit with its unit."""
        whole = self.limit.is_integer() and abs(self.limit) < _LARGEST_WRITTEN_OUT
        number = str(int(self.limit)) if whole else repr(self.limit)
        return f"{number} {self.unit}".rstrip()


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for a criterion's metric, in base units.

    ``value`` None means not measured, and ``reason`` says why; ``failed`` that there is none since
    what it would be of did not come about: that fails the criterion. ``beyond`` means that the
    true value is worse than ``value`` by an unknown amount ("not within 30 s"). ``interval`` is a
    95 % confidence interval, ``sample_size`` what the estimate rests on.
    """

    value: float | None = None
    beyond: bool = False
    failed: bool = False
    interval: tuple[float, float] | None = None
    sample_size: int | None = None
    reason: str = ""
    note: str = ""
    invalid: bool = False
    """The generator was the bottleneck: a FAIL of a load criterion becomes ERROR."""
    undelivered: bool = False
    """And the intended load was not delivered, so that a PASS says nothing either."""


class CriterionResult(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion with what was measured, in the criterion's unit, and its verdict."""

    id: str
    expression: str
    metric: str
    tag: str
    aggregate: str
    operator: str
    limit: float
    unit: str
    measured: float | None
    verdict: Verdict
    source: str
    wish: str = ""
    beyond: bool = False
    interval: tuple[float, float] | None = None
    sample_size: int | None = None
    document_limit: float | None = None
    reason: str = ""
    note: str = ""
    evidence: str = ""
    """Anchor of the section of the report that shows it, without the #."""

    @property
    def owner(self) -> str:
        """The part or step that it is of: "3.2", "3"."""
        return self.id.partition("-")[0]


def parse(text: str, owner: str, metrics: Mapping[str, Metric], source: str = "") -> Criterion:
    """Read a criterion of the part or step ``owner`` ("3.2", "3").

    Raises CriterionError if it does not parse, or if metric, aggregate or unit is unknown.
    """
    where = f"criterion '{' '.join(text.split())}' of {owner}"
    match = _FORM.match(text.strip())
    if match is None:
        raise CriterionError(
            f"{where} does not parse; the form is 'metric [aggregate] operator limit', "
            "for example 'response_time p(95) < 5 s'"
        )
    name, tag, aggregate = match["metric"], match["tag"] or "", match["aggregate"] or ""
    metric = metrics.get(name)
    if metric is None:
        raise CriterionError(f"{where}: {UnknownName('metric', name, sorted(metrics))}")
    if not is_aggregate(metric.kind, aggregate):
        asked = f"aggregate '{aggregate}'" if aggregate else "no aggregate"
        wanted = (
            "it takes none"
            if metric.kind is Kind.VALUE
            else "it takes mean, median, min, max, stddev, range, drift, p(95)"
            + (", growth or slope" if metric.kind is Kind.SERIES else "")
        )
        raise CriterionError(f"{where}: {asked} for {name}; {wanted}")
    try:
        limit, unit, factor = parse_quantity(match["limit"], metric.aggregate_unit(aggregate))
    except ValueError as error:
        raise CriterionError(f"{where}: {error}") from None
    return Criterion(
        id=_identifier(owner, name, tag, aggregate),
        metric=name,
        tag=tag,
        aggregate=aggregate,
        operator=match["operator"],
        limit=limit,
        unit=unit,
        factor=factor,
        wish=(match["wish"] or "").strip(),
        source=source,
        load=metric.load,
        requires=metric.requires,
    )


def _identifier(owner: str, metric: str, tag: str, aggregate: str) -> str:
    words = " ".join((metric, tag, aggregate.replace("(", "").replace(")", "")))
    return "-".join([owner, *re.findall(r"[a-z0-9.]+", words.lower())])


def override(criterion: Criterion, limit: str, metrics: Mapping[str, Metric]) -> Criterion:
    """The criterion with another limit ("10s"); the text's limit is kept beside it.

    Raises CriterionError if the limit does not parse in the metric's unit.
    """
    unit = metrics[criterion.metric].aggregate_unit(criterion.aggregate)
    try:
        number, _, factor = parse_quantity(limit, unit)
    except ValueError as error:
        raise CriterionError(f"limit of {criterion.id}: {error}") from None
    in_old_unit = number * factor / criterion.factor
    return msgspec.structs.replace(criterion, limit=in_old_unit, document_limit=criterion.limit)


def judge(criterion: Criterion, found: Measurement, evidence: str = "") -> CriterionResult:
    """Compare the point estimate with the limit.

    What was not measured, or is no finite number, is INCONCLUSIVE, unless it has ``failed``;
    "beyond" satisfies no upper limit; a FAIL of a load criterion under a saturated generator is an
    ERROR, since its slowness is not the server's, and so is a PASS if the intended load was not
    delivered.
    """
    measured = None if found.value is None else found.value / criterion.factor
    reason = found.reason
    if measured is not None and not math.isfinite(measured):
        # JSON knows no NaN and no infinity, and no comparison with them says anything.
        measured, reason = None, reason or "what was found is no finite number"
    if measured is None and not found.failed:
        verdict = Verdict.INCONCLUSIVE
        reason = reason or "not measured"
    elif found.undelivered and criterion.load:
        verdict = Verdict.ERROR
        reason = reason or "the load generator was saturated and did not send what was intended"
    elif measured is not None and _holds(criterion, measured, beyond=found.beyond):
        verdict = Verdict.PASS
    elif found.invalid and criterion.load:
        verdict = Verdict.ERROR
        reason = reason or "the load generator was saturated, so this is not the server's doing"
    else:
        verdict = Verdict.FAIL
    interval = found.interval and (
        found.interval[0] / criterion.factor,
        found.interval[1] / criterion.factor,
    )
    if interval and not all(map(math.isfinite, interval)):
        interval = None
    return CriterionResult(
        id=criterion.id,
        expression=criterion.expression,
        metric=criterion.metric,
        tag=criterion.tag,
        aggregate=criterion.aggregate,
        operator=criterion.operator,
        limit=criterion.limit,
        unit=criterion.unit,
        measured=measured,
        verdict=verdict,
        source=criterion.source,
        wish=criterion.wish,
        beyond=found.beyond,
        interval=interval,
        sample_size=found.sample_size,
        document_limit=criterion.document_limit,
        reason=reason,
        note=found.note,
        evidence=evidence,
    )


def _holds(criterion: Criterion, measured: float, *, beyond: bool) -> bool:
    if beyond and criterion.operator not in (">", ">="):
        return False
    return _OPERATORS[criterion.operator](measured, criterion.limit)
