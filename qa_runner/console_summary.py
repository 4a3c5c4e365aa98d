"""What a run came to, in at most twenty lines with its likely causes and the report's path."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qa_runner.console import verdict_line, verdict_text
from qa_runner.criteria import CriterionResult
from qa_runner.report.criteria import ICONS, measured_text
from qa_runner.report.format import quantity
from qa_runner.report.text import visible
from qa_runner.result import RunResult, StepResult
from qa_runner.verdict import Verdict

__all__ = ["print_summary"]

_MOST = 8
"""What did not pass, beyond this many, is in the report."""
_ORDER = [Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE]


def print_summary(console: Console, run: RunResult) -> None:
    """What did not pass, the steps if any was begun, and the verdict."""
    # What a run that ended early did not reach is told with the steps.
    missed = [
        criterion
        for step in run.steps
        if step.selected
        for criterion in step.reached()
        if criterion.verdict in _ORDER
    ]
    missed.sort(key=lambda criterion: _ORDER.index(criterion.verdict))
    console.print()
    if missed:
        console.print(_criteria(missed[:_MOST]))
        if len(missed) > _MOST:
            console.print(f"and {len(missed) - _MOST:,} more, which the report has")
        console.print()
    steps = [step for step in run.steps if step.selected or step.attempts]
    if any(step.attempts for step in steps):
        # Where there is much to say, the steps take a line: each was told when it ended.
        whole = run.verdict is Verdict.PASS
        console.print(_steps(steps) if whole else _steps_line(steps), soft_wrap=not whole)
        console.print()
    console.print(verdict_line(run), soft_wrap=True)


def _criteria(missed: list[CriterionResult]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("verdict", "criterion"):
        table.add_column(heading, no_wrap=True)  # ids are there to be copied
    for heading in ("limit", "measured"):
        table.add_column(heading, overflow="fold")
    for criterion in missed:
        table.add_row(
            verdict_text(criterion.verdict),
            Text(criterion.id),
            Text(f"{criterion.operator} {quantity(criterion.limit, criterion.unit)}"),
            Text(visible(measured_text(criterion))),
        )
    return table


def _steps(steps: list[StepResult]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("verdict", "step", "criteria passed"):
        table.add_column(heading)
    for step in steps:
        table.add_row(verdict_text(step.verdict), Text(_name(step)), _passed(step))
    return table


def _steps_line(steps: list[StepResult]) -> Text:
    """Also those that a run that ended early did not reach."""
    told = []
    for step in steps:
        passed = step.verdict is Verdict.PASS
        words = str(step.number) if passed else f"{_name(step)} ({_passed(step)})"
        told.append(f"{ICONS[step.verdict]} {words}")
    return Text("steps  " + "  ".join(told))


def _name(step: StepResult) -> str:
    return f"{step.number} {visible(step.title)}" + ("" if step.selected else " (prerequisite)")


def _passed(step: StepResult) -> str:
    """How many of its criteria passed."""
    judged = [held for held in step.criteria() if held.verdict is not Verdict.SKIPPED]
    return f"{sum(held.verdict is Verdict.PASS for held in judged)} of {len(judged)}"
