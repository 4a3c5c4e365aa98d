"""The raw numbers of a comparison: kept as JSON, summed up as medians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import sub, truediv
from statistics import median

import msgspec

from benchmarks.job import BenchmarkError

__all__ = ["Measurement", "Results", "Spread", "ToolFacts"]


_PASSING = ("date", "load average before")
"""What differs each time on the same machine."""


class ToolFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a tool; ``absent`` says why it was not run, and is empty if it was."""

    name: str
    body: str
    model: str
    paced: bool
    note: str = ""
    version: str = ""
    absent: str = ""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one tool; ``error`` says why there are no values."""

    section: str
    case: str
    tool: str
    round: int
    values: dict[str, float] = {}
    error: str = ""


class Spread(msgspec.Struct, frozen=True):
    """The rounds of a number."""

    median: float
    lowest: float
    highest: float


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A whole comparison.

    ``again`` has the date of each section that was measured after the others.
    """

    machine: dict[str, str]
    quick: bool
    sections: Sequence[str]
    tools: Sequence[ToolFacts]
    measurements: Sequence[Measurement]
    seconds: float
    again: dict[str, str] = {}

    def with_sections_of(self, newer: Results) -> Results:
        """These results, with the sections of a later comparison in place of their own.

        Raises BenchmarkError if the two are not of the same machine and tools.
        """
        mine, theirs = (
            {name: value for name, value in one.machine.items() if name not in _PASSING}
            for one in (self, newer)
        )
        if (mine, list(self.tools), self.quick) != (theirs, list(newer.tools), newer.quick):
            raise BenchmarkError("measured with another machine, other tools or otherwise quick")
        kept = [one for one in self.measurements if one.section not in newer.sections]
        return msgspec.structs.replace(
            self,
            sections=list(dict.fromkeys([*self.sections, *newer.sections])),
            measurements=[*kept, *newer.measurements],
            again=self.again | dict.fromkeys(newer.sections, newer.machine["date"]),
        )

    def of(self, section: str, case: str, tool: str) -> list[Measurement]:
        """The rounds of a tool on a case."""
        return [
            measured
            for measured in self.measurements
            if (measured.section, measured.case, measured.tool) == (section, case, tool)
        ]

    def spread(self, section: str, case: str, tool: str, value: str) -> Spread | None:
        """A value over all rounds that have it; None if none has."""
        found = [
            measured.values[value]
            for measured in self.of(section, case, tool)
            if value in measured.values
        ]
        return Spread(median(found), min(found), max(found)) if found else None

    def ratio(self, section: str, case: str, tools: tuple[str, str], value: str) -> float | None:
        """The median over the rounds of the first tool's value divided by the second's.

        What slows a machine down for minutes slows both tools of a round. None if no round has
        both, or if the second's is 0 in one.
        """
        return self._compared(truediv, section, case, tools, value)

    def difference(
        self, section: str, case: str, tools: tuple[str, str], value: str
    ) -> float | None:
        """The median over the rounds of the first tool's value less the second's; as ratio."""
        return self._compared(sub, section, case, tools, value)

    def _compared(
        self,
        compare: Callable[[float, float], float],
        section: str,
        case: str,
        tools: tuple[str, str],
        value: str,
    ) -> float | None:
        ours, theirs = (
            {
                one.round: one.values[value]
                for one in self.of(section, case, tool)
                if value in one.values
            }
            for tool in tools
        )
        both = sorted(ours.keys() & theirs.keys())
        if not both or (compare is truediv and not all(theirs[number] for number in both)):
            return None
        return median(compare(ours[number], theirs[number]) for number in both)
