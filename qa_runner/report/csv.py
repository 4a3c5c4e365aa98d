"""A run as CSV, for spreadsheets and other tools: its samples, series and criteria.

::

    samples.csv    one row for each request: step, attempt, then the columns of table.SAMPLES
    series.csv     one row for each value that a monitor read: series, session, time (seconds on
                   the session's clock), column, value, text
    criteria.csv   one row for each criterion of each attempt, and for each that the run ended
                   before; measured value, interval and limit are in the unit of that row

Numbers are exact, an empty cell is an absent one. A text that a spreadsheet would take for a
formula has an apostrophe before it; control characters and marks that reorder text are spelt out,
and what is longer than a cell of a spreadsheet is cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from qa_runner.criteria import CriterionResult
from qa_runner.csv_text import inert, line
from qa_runner.report.text import visible
from qa_runner.result import RunResult
from qa_runner.store import RunReader, write_pieces_atomically
from qa_runner.table import SAMPLES, SERIES

__all__ = ["CSV_NAMES", "write_csv"]

CSV_NAMES = ("samples.csv", "series.csv", "criteria.csv")
_MOST_CHARACTERS = 32_000
"""A cell of a spreadsheet holds 32,767."""

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
    every = (_samples(reader, run), _series(reader), _criteria(run))
    for name, lines in zip(CSV_NAMES, every, strict=True):
        path = folder / name
        write_pieces_atomically(path, (text.encode() for text in lines))
        written.append(path)
    return written


def _row(cells: Iterable[float | str]) -> str:
    """A row with the line end of RFC 4180."""
    return f"{line(cells)[:-1]}\r\n"


def _shown(text: str) -> str:
    """What hides nothing and fits into a cell; newlines are one character."""
    shown = visible(text[:_MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n"))
    if max(len(text), len(shown)) <= _MOST_CHARACTERS:
        return shown
    return f"{shown[:_MOST_CHARACTERS]}… ({len(text):,} characters)"


def _samples(reader: RunReader, run: RunResult) -> Iterator[str]:
    # What was sent before the first step belongs to none.
    owners = {
        attempt.samples: (float(step.number), float(attempt.number))
        for step in run.steps
        for attempt in step.attempts
    }
    yield _row(("step", "attempt", *SAMPLES.names))
    for name in reader.sample_names():
        step, attempt = owners.get(name, (math.nan, math.nan))
        table = reader.samples(name).with_texts(_shown, SAMPLES.texts)
        for piece in table.pieces():
            numbers = [piece.number(column).tolist() for column in SAMPLES.numbers]
            texts = [map(inert, piece.text(column)) for column in SAMPLES.texts]
            yield "".join(_row((step, attempt, *row)) for row in zip(*numbers, *texts, strict=True))


def _series(reader: RunReader) -> Iterator[str]:
    yield _row(_SERIES)
    for name, columns in SERIES.items():
        table = reader.series(name).with_texts(_shown, columns.texts)
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
                    yield _row((name, session, time, column, values[row], ""))
            for column, words in texts.items():
                if words[row]:
                    yield _row((name, session, time, column, math.nan, inert(words[row])))


def _criteria(run: RunResult) -> Iterator[str]:
    yield _row(_CRITERIA)
    for step in run.steps:
        for attempt in step.attempts:
            results = [result for part in attempt.parts for result in part.criteria]
            for result in [*results, *attempt.criteria]:
                yield _row((float(step.number), float(attempt.number), *_cells(result)))
        number = float(step.latest.number) if step.latest else math.nan
        for result in step.unreached:
            yield _row((float(step.number), number, *_cells(result)))


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
            yield inert(_shown(value))
        else:
            yield math.nan if value is None else float(value)
