"""A stored run with what all its forms say of it, each found once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from qa_runner.report.criteria import ICONS
from qa_runner.report.findings import findings
from qa_runner.report.forms.judged import UNENDED, Judged, Place, judged
from qa_runner.report.source import Source
from qa_runner.result import RunResult
from qa_runner.store import RunReader

__all__ = ["Story"]


class Story:
    """What a run folder tells, from its stored files alone.

    Raises RunFolderError, here or later, if the folder is no run or is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = Source(RunReader(folder))

    @property
    def run(self) -> RunResult:
        """The result, each text in it cleaned."""
        return self.source.run

    @cached_property
    def results(self) -> list[Judged]:
        """The criteria as test results."""
        return judged(self.source)

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """What went wrong, the most telling first; rows as of ``qa_runner.report.findings``."""
        rows: list[dict[str, Any]] = findings(self.source)["rows"]
        return rows

    def cause(self, result: Judged) -> dict[str, Any] | None:
        """The finding that explains a result best."""
        return next((row for row in self.findings if result.name in row["criteria"]), None)

    @property
    def title(self) -> str:
        """The verdict and whose it is: a scoped run never speaks for the whole case."""
        run = self.run
        of = f"{run.scope} of {run.test_id}" if run.scope else run.test_id
        return f"{ICONS[run.verdict]} {run.verdict}: {of} {run.test_name}".rstrip()

    @property
    def reason(self) -> str:
        """One sentence on why the verdict is what it is."""
        return self.run.reason or UNENDED

    def when(self, place: Place) -> tuple[datetime, datetime] | None:
        """Start and end of what was judged, in UTC; None if nothing was measured."""
        session = self.source.session(place.session)
        began = _moment(session.wall_start) if session else None
        if began is None:
            return None
        start, end = began.timestamp() + place.start, began.timestamp() + place.end
        try:
            return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
        except (ValueError, OverflowError, OSError):
            return None

    @property
    def began(self) -> datetime:
        """When the run began, in UTC; 1970 if its record does not say."""
        return _moment(self.run.started) or datetime.fromtimestamp(0, UTC)

    @property
    def ended(self) -> datetime:
        """When it ended, in UTC; the beginning, if its record does not say."""
        return _moment(self.run.finished) or self.began


def _moment(iso: str) -> datetime | None:
    """An ISO time in UTC, which it is taken to be in if it has no zone; None if it is none."""
    try:
        when = datetime.fromisoformat(iso)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
