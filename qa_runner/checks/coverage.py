"""Which criteria cannot be measured without a source."""

from __future__ import annotations

from qa_runner.configure import ConfiguredCase
from qa_runner.criteria import Criterion

__all__ = ["needing", "requiring"]


def needing(case: ConfiguredCase, monitor: str) -> tuple[str, ...]:
    """Ids of the criteria of the selected parts that cannot be measured without a monitor.

    ``monitor`` is as :class:`qa_runner.metric.Metric` names it: server, database, log.
    """
    metrics = case.definition.metrics
    return tuple(each.id for each in _selected(case) if metrics[each.metric].needs == monitor)


def requiring(case: ConfiguredCase, source: str) -> tuple[str, ...]:
    """Ids of those that are no part of a run without a data source: database_time, say."""
    return tuple(each.id for each in _selected(case) if each.requires == source)


def _selected(case: ConfiguredCase) -> list[Criterion]:
    found: list[Criterion] = []
    for step in case.steps:
        for part in step.parts:
            if part.selected:
                found += part.criteria
        if step.selected:
            found += step.criteria
    return found
