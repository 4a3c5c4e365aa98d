"""The checks of a target on the terminal: a line for each, its remedy below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from qa_runner.check_result import CheckResult, Level
from qa_runner.report.format import plural
from qa_runner.report.text import visible

__all__ = ["print_check", "print_outcome"]

_STYLES = {
    Level.OK: "green",
    Level.NOTE: "cyan",
    Level.WARNING: "bold yellow",
    Level.FAILURE: "bold red",
}
_SYMBOLS = {Level.OK: "✓", Level.NOTE: "·", Level.WARNING: "!", Level.FAILURE: "✗"}
_WIDTH = 16
_INDENT = " " * (_WIDTH + 12)


def print_check(console: Console, result: CheckResult, *, quiet: bool = False) -> None:
    """One row of the table; with ``quiet`` only of warnings and failures."""
    if quiet and result.level in {Level.OK, Level.NOTE}:
        return
    line = Text(f"{_SYMBOLS[result.level]} {result.level:<8}", style=_STYLES[result.level])
    line.append(f"{result.title:<{_WIDTH}}  ", style="not bold default")
    line.append(visible(result.text), style="not bold default")
    console.print(line, soft_wrap=True)
    if result.remedy:
        console.print(Text(f"{_INDENT}→ {visible(result.remedy)}"), soft_wrap=True)
    if result.criteria:
        listed = ", ".join(result.criteria)
        console.print(Text(f"{_INDENT}INCONCLUSIVE: {listed}", style="dim"), soft_wrap=True)


def print_outcome(console: Console, results: Sequence[CheckResult], case: str, target: str) -> None:
    """In one line, whether a run makes sense."""
    counts = Counter(result.level for result in results)
    lost = {criterion for result in results for criterion in result.criteria}
    of = f"{case} against {target}"
    if counts[Level.FAILURE]:
        text = f"{plural(counts[Level.FAILURE], 'failure')}: {of} would be spoilt"
        console.print(Text(text, style="bold red"), soft_wrap=True)
        return
    words = [f"{of} can be run"]
    if lost:
        words.append(f"{plural(len(lost), 'criterion', 'criteria')} will be INCONCLUSIVE")
    if counts[Level.WARNING]:
        words.append(plural(counts[Level.WARNING], "warning"))
    console.print(Text(", ".join(words)), soft_wrap=True)
