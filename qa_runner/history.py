"""The history that QA teams keep beside their runs: ``runs.csv`` and ``latest_runs.csv``."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qa_runner.csv_text import inert
from qa_runner.errors import OutputError, RunFolderError
from qa_runner.locate import run_folders
from qa_runner.result import RunResult
from qa_runner.store import RunReader, write_atomically
from qa_runner.verdict import Verdict

__all__ = [
    "HISTORY_COLUMNS",
    "LATEST_COLUMNS",
    "full_history",
    "overall",
    "read_history",
    "update_history",
]

HISTORY_COLUMNS = (
    "run_id",
    "timestamp",
    "overall_result",
    "steps_passed",
    "steps_failed",
    "target",
    "environment",
    "notes",
)
LATEST_COLUMNS = (
    "test_id",
    "test_name",
    "description",
    "last_run",
    "overall_status",
    "total_runs",
    "pass_count",
    "fail_count",
)
Rows = list[dict[str, str]]


def overall(run: RunResult) -> str:
    """The result for tables: a verdict that is not that of the whole case says whose it is."""
    return f"{run.verdict} ({run.scope})" if run.scope else str(run.verdict)


def update_history(run: RunResult, case_folder: Path) -> None:
    """Enter a run, or its new state, into both files.

    Raises OutputError if they cannot be written, RunFolderError if one is no such table.
    """
    path = case_folder / "runs.csv"
    latest = case_folder.parent / "latest_runs.csv"
    with _locked(case_folder.parent):
        rows = [row for row in _read(path, HISTORY_COLUMNS) if row["run_id"] != run.run_id]
        rows.append(_history_row(run))
        rows.sort(key=lambda row: row["run_id"])
        others = [row for row in _read(latest, LATEST_COLUMNS) if row["test_id"] != run.test_id]
        others.append(_latest_row(run, rows))
        others.sort(key=lambda row: row["test_id"])
        _write(path, HISTORY_COLUMNS, rows)
        _write(latest, LATEST_COLUMNS, others)


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    """Runs that end at the same time enter themselves one after the other."""
    try:
        handle = os.open(output, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"cannot open {output}: {error.strerror or error}") from None
    try:
        # Some network file systems have no locks: go on without.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read_history(case_folder: Path) -> Rows:
    """The rows of a case's runs.csv, oldest first.

    Raises RunFolderError if it is damaged.
    """
    return _read(case_folder / "runs.csv", HISTORY_COLUMNS)


def full_history(case_folder: Path) -> Rows:
    """As :func:`read_history`, with the runs that ended before they could be entered.

    A run folder that is damaged says so in its notes.
    """
    rows = {row["run_id"]: row for row in read_history(case_folder)}
    for folder in run_folders(case_folder):
        if folder.name in rows:
            continue
        try:
            rows[folder.name] = _history_row(RunReader(folder).result())
        except RunFolderError:
            row = dict.fromkeys(HISTORY_COLUMNS, "")
            rows[folder.name] = row | {"run_id": folder.name, "notes": "run.json is damaged"}
    return [rows[name] for name in sorted(rows)]


def _history_row(run: RunResult) -> dict[str, str]:
    verdicts = [step.verdict for step in run.steps if step.selected]
    notes = [run.scope, *(f"fault {fault}" for fault in run.target.faults)]
    if run.status != "finished":
        notes.append(run.status)
    reruns = sum(len(step.attempts) - 1 for step in run.steps if len(step.attempts) > 1)
    if reruns:
        notes.append(f"{reruns} rerun" + ("s" if reruns > 1 else ""))
    values = (
        run.run_id,
        run.started,
        overall(run),
        str(verdicts.count(Verdict.PASS)),
        str(verdicts.count(Verdict.FAIL)),
        run.target.name if run.target.name == "demo" else run.target.url,
        run.target.environment,
        "; ".join(note for note in notes if note),
    )
    return dict(zip(HISTORY_COLUMNS, map(inert, values), strict=True))


def _latest_row(run: RunResult, rows: Rows) -> dict[str, str]:
    newest = rows[-1]
    results = [row["overall_result"] for row in rows]
    values = (
        run.test_id,
        run.test_name,
        run.description,
        newest["timestamp"],
        newest["overall_result"],
        str(len(rows)),
        # Shortened and partial runs read "PASS (...)": they are no passes of the case.
        str(results.count(str(Verdict.PASS))),
        str(sum(result.split(" ")[0] == Verdict.FAIL for result in results)),
    )
    return dict(zip(LATEST_COLUMNS, map(inert, values), strict=True))


def _read(path: Path, columns: tuple[str, ...]) -> Rows:
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets put a mark at the start
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"cannot read {path}: {error}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        rows = list(reader)
    except csv.Error as error:
        raise RunFolderError(f"cannot read {path}: {error}; move it away to start anew") from None
    if text and tuple(reader.fieldnames or ()) != columns:
        raise RunFolderError(
            f"{path} does not have the columns {','.join(columns)}; move it away to start anew"
        )
    return [{name: row.get(name) or "" for name in columns} for row in rows]


def _write(path: Path, columns: tuple[str, ...], rows: Rows) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, out.getvalue().encode("utf-8", "backslashreplace"))
