"""A run as CSV, for spreadsheets and other tools: its samples, series and criteria.

::

    samples.csv    one row for each request: step, attempt, then the columns of table.SAMPLES
    series.csv     one row for each value that a monitor read: series, session, time (seconds on
                   the session's clock), column, value, text
    criteria.csv   one row for each criterion of each attempt; measured value, interval and limit
                   are in the unit of that row

Numbers are exact, an empty cell is an absent one. A text that a spreadsheet would take for a
formula has an apostrophe before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from qa_runner.criteria import CriterionResult
from qa_runner.csv_text import inert, line
from qa_runner.result import RunResult
from qa_runner.store import RunReader, write_pieces_atomically
from qa_runner.table import SAMPLES, SERIES

__all__ = ["write_csv"]

_SERIES = ("series", "session", "time", "column", "value", "text")
_CRITERIA = (
    "step",
    "attempt",
    "id",
    "criterion",
    "metric",
    "tag",
    "aggregate",
    "operator",
    "limit",
    "unit",
    "measured",
    "interval_low",
    "interval_high",
    "sample_size",
    "verdict",
    "reason",
    "note",
    "source",
)


def write_csv(folder: Path) -> list[Path]:
    """Write samples.csv, series.csv and criteria.csv into a run folder; returns their paths.

    Memory is bounded by the largest file of samples. Raises RunFolderError if the folder is no
    run or is damaged, OutputError if it cannot be written.
    """
    reader = RunReader(folder)
    run = reader.result()
    written = []
    for name, lines in (
        ("samples.csv", _samples(reader, run)),
        ("series.csv", _series(reader)),
        ("criteria.csv", _criteria(run)),
    ):
        path = folder / name
        # Half a character, as in a file name that is no UTF-8, is written out.
        write_pieces_atomically(path, (text.encode("utf-8", "backslashreplace") for text in lines))
        written.append(path)
    return written


def _samples(reader: RunReader, run: RunResult) -> Iterator[str]:
    # What was sent before the first step belongs to none.
    owners = {
        attempt.samples: (float(step.number), float(attempt.number))
        for step in run.steps
        for attempt in step.attempts
    }
    yield line(("step", "attempt", *SAMPLES.names))
    for name in reader.sample_names():
        step, attempt = owners.get(name, (math.nan, math.nan))
        for piece in reader.samples(name).pieces():
            numbers = [piece.number(column).tolist() for column in SAMPLES.numbers]
            texts = [map(inert, piece.text(column)) for column in SAMPLES.texts]
            yield "".join(line((step, attempt, *row)) for row in zip(*numbers, *texts, strict=True))


def _series(reader: RunReader) -> Iterator[str]:
    yield line(_SERIES)
    for name, columns in SERIES.items():
        table = reader.series(name)
        sessions, times = table.number("session").tolist(), table.number("time").tolist()
        numbers = {
            column: table.number(column).tolist()
            for column in columns.numbers
            if column not in ("session", "time")
        }
        texts = {column: table.text(column) for column in columns.texts}
        for row, (session, time) in enumerate(zip(sessions, times, strict=True)):
            for column, values in numbers.items():
                if not math.isnan(values[row]):
                    yield line((name, session, time, column, values[row], ""))
            for column, words in texts.items():
                if words[row]:
                    yield line((name, session, time, column, math.nan, inert(words[row])))


def _criteria(run: RunResult) -> Iterator[str]:
    yield line(_CRITERIA)
    for step in run.steps:
        for attempt in step.attempts:
            results = [result for part in attempt.parts for result in part.criteria]
            for result in [*results, *attempt.criteria]:
                yield line((float(step.number), float(attempt.number), *_cells(result)))


def _cells(result: CriterionResult) -> Iterator[float | str]:
    low, high = result.interval or (math.nan, math.nan)
    for value in (
        result.id,
        result.expression,
        result.metric,
        result.tag,
        result.aggregate,
        result.operator,
        result.limit,
        result.unit,
        result.measured,
        low,
        high,
        result.sample_size,
        result.verdict.value,
        result.reason,
        result.note,
        result.source,
    ):
        if isinstance(value, str):
            yield inert(value)
        else:
            yield math.nan if value is None else float(value)
