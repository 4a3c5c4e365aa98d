"""What is expected of a load: criteria over its requests, judged."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

import msgspec

from qa_runner.calibration import Calibration
from qa_runner.criteria import Criterion, CriterionResult, parse
from qa_runner.errors import UsageError
from qa_runner.judging import judge_all, spoil
from qa_runner.metric import METRICS
from qa_runner.observation import Observation
from qa_runner.sample_metrics import RATES, TIMES, VALUES
from qa_runner.stop import not_finished
from qa_runner.table import Table
from qa_runner.verdict import Verdict

__all__ = ["OWNER", "judge_expectations", "read_expectations"]

OWNER = "1.1"
"""The part of the report that the criteria belong to."""

_OPTION = "--expect"
# What the requests themselves tell; there are no monitors beside an ad-hoc load.
_MEASURABLE = MappingProxyType(
    {name: metric for name, metric in METRICS.items() if name in {*RATES, *TIMES, *VALUES}}
)


def read_expectations(texts: Iterable[str]) -> tuple[Criterion, ...]:
    """The criteria, of the form ``metric [aggregate] operator limit``.

    Raises CriterionError if one does not parse or names an unknown metric, UsageError for a tag.
    """
    return tuple(_read(text) for text in texts)


def _read(text: str) -> Criterion:
    criterion = parse(text, _OPTION, _MEASURABLE)
    if criterion.tag:
        raise UsageError(
            f"{_OPTION} '{text}': there are no parts of a load to tell apart; "
            f"leave {{{criterion.tag}}} out"
        )
    return msgspec.structs.replace(criterion, id=OWNER + criterion.id.removeprefix(_OPTION))


def judge_expectations(
    criteria: tuple[Criterion, ...],
    samples: Table,
    *,
    saturated: str,
    caution: str,
    calibration: Calibration | None,
    unfinished: str,
) -> list[CriterionResult]:
    """Each criterion with its measured value and verdict.

    ``saturated`` and ``unfinished`` say why the generator was the bottleneck and why the load
    did not go to its end, ``caution`` that it came close to what the generator can send; empty
    where that is not so.
    """
    observed = Observation(
        samples=samples,
        start=0.0,
        end=0.0,
        series={},
        reasons={},
        metrics=_MEASURABLE,
        saturated=saturated,
        cautions=(caution,) if caution else (),
        calibration=calibration,
    )
    results = judge_all(criteria, observed, f"part-{OWNER}")
    if unfinished:
        results = spoil(results, Verdict.INCONCLUSIVE, not_finished(unfinished))
    return results
