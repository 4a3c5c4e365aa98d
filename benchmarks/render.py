"""The comparison as a page of Markdown; a pure function of its results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.goals import judge
from benchmarks.results import Results, ToolFacts
from benchmarks.section import SECTIONS, Case, Column, Section
from benchmarks.tools import TOOLS
from benchmarks.tools.qa_runner import COMMAND, ENGINE

__all__ = ["render"]

_NOTHING = "–"  # noqa: RUF001 (the sign that is meant)
_TIMES = "×"  # noqa: RUF001 (as above)
_LARGE = 100


def render(results: Results) -> str:
    """The whole page."""
    lines = [*_head(results), *_goals(results), *_tools(results)]
    for section in SECTIONS:
        if section.name in results.sections:
            lines += _section(results, section)
    return "\n".join(lines) + "\n"


def _head(results: Results) -> Iterator[str]:
    yield "# qa-runner beside other load generators"
    yield ""
    if results.quick:
        yield "**A quick run: short, one round; its numbers are a hint.**"
        yield ""
    yield (
        f"Written by `python -m benchmarks` in {results.seconds / 60:.0f} minutes; README.md says "
        "how. Each number is the median of its rounds, with the lowest and the highest in "
        f"brackets. After the {_TIMES} stands {ENGINE}'s number divided by it, taken in each round "
        "and of those the median: what slows a machine down for minutes slows both tools of "
        "a round. Servers have one core, tools the other, loopback between them."
    )
    yield ""
    yield from _table(("", ""), results.machine.items())


def _goals(results: Results) -> Iterator[str]:
    yield from ("## Goals", "")
    goals = judge(results)
    rows = ((goal.wanted, goal.found, _strong(goal.verdict)) for goal in goals)
    yield from _table(("goal", "measured", "verdict"), rows)


def _strong(verdict: str) -> str:
    return f"**{verdict}**" if verdict == "not met" else verdict


def _tools(results: Results) -> Iterator[str]:
    yield from ("## Tools", "")
    yield from _table(
        ("tool", "version", "body", "at a given rate", "remarks"),
        (
            (
                known.name,
                f"not installed: {known.absent}" if known.absent else known.version,
                known.body,
                known.model if known.paced else _NOTHING,
                known.note,
            )
            for known in results.tools
        ),
    )
    yield (
        f"`{ENGINE}` is the engine as a test case uses it: its generator process has the tools' "
        "core, and the process that takes every sample into a table shares the servers'. "
        f"`{COMMAND}` is the command, all of its processes on the tools' core, like every other "
        "tool."
    )
    yield ""


def _section(results: Results, section: Section) -> Iterator[str]:
    yield from (f"## {section.title}", "", section.words, "")
    if section.name in results.again:
        yield from (f"Measured again, alone, on {results.again[section.name]}.", "")
    for case in section.cases(results.quick):
        if case.title:
            yield from (f"### {case.title}", "")
        rows = [_row(results, section, case, known) for known in results.tools]
        titles = ("tool", "rounds", *(column.title for column in section.columns))
        yield from _table(titles, rows)


def _row(results: Results, section: Section, case: Case, known: ToolFacts) -> list[str]:
    first = [known.name]
    blank = [_NOTHING] * (len(section.columns) - 1)
    if known.absent:
        return [*first, _NOTHING, "not installed", *blank]
    unfit = next((section.unfit(tool) for tool in TOOLS if tool.name == known.name), "")
    if unfit:
        return [*first, _NOTHING, unfit, *blank]
    measured = results.of(section.name, case.name, known.name)
    failed = [one.error for one in measured if one.error]
    rounds = f"{len(measured) - len(failed)} of {len(measured)}" if failed else str(len(measured))
    if failed and len(failed) == len(measured):
        return [*first, rounds, f"failed: {failed[0]}", *blank]
    cells = [_cell(results, section, case, known.name, column) for column in section.columns]
    return [*first, rounds, *cells]


def _cell(results: Results, section: Section, case: Case, tool: str, column: Column) -> str:
    spread = results.spread(section.name, case.name, tool, column.value)
    if spread is None:
        return _NOTHING
    text = _number(spread.median, column.digits)
    if spread.lowest != spread.highest:
        low, high = _number(spread.lowest, column.digits), _number(spread.highest, column.digits)
        text += f" ({low} to {high})"
    ratio = results.ratio(section.name, case.name, (ENGINE, tool), column.value)
    if column.ratio and tool != ENGINE and ratio is not None:
        text += f" {_TIMES} {_ratio(ratio)}"
    return text


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _ratio(value: float) -> str:
    return f"{value:.0f}" if value >= _LARGE else f"{value:.2f}"


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    listed = [tuple(titles), *(tuple(row) for row in rows)]
    for number, row in enumerate(listed):
        yield "| " + " | ".join(_plain(cell) for cell in row) + " |"
        if number == 0:
            yield "|" + "---|" * len(row)
    yield ""


def _plain(cell: str) -> str:
    """What a tool said may hold anything."""
    return " ".join(cell.replace("|", "\\|").split())
