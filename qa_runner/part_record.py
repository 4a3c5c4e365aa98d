"""What a part gathers while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from qa_runner.result import DataTable, LoadResult, RecordedMetric, Window
from qa_runner.table import SAMPLES, Table

__all__ = ["PartRecord"]


@dataclass(slots=True)
class PartRecord:
    """What a part gathers while it runs; the runner turns it into a result."""

    id: str
    step: int
    attempt: int
    start: float
    loads: list[LoadResult] = field(default_factory=list)
    samples: Table = field(default_factory=lambda: Table(SAMPLES))
    metrics: list[RecordedMetric] = field(default_factory=list)
    tables: list[DataTable] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def judged_samples(self) -> Table:
        """Those of the load that is judged, not of probes and follow-ups."""
        return self.samples.where(self.samples.text_equals("role", "main"))

    def load_samples(self, number: int) -> Table:
        """Those of the load with this number."""
        return self.samples.where(self.samples.number("load") == number)

    def add(self, rows: Table) -> None:
        """Take in rows of any load of the part."""
        self.samples = Table.concatenate(SAMPLES, [self.samples, rows])
