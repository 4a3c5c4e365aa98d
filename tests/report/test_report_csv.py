"""A run as CSV: exact, complete, and inert in a spreadsheet."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from run_factory import Factory, Plan, whole

from qa_runner.cli import main
from qa_runner.errors import OutputError, RunFolderError
from qa_runner.report.csv import write_csv
from qa_runner.store import RunReader
from qa_runner.table import SAMPLES, SERIES, Table

FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = whole(tmp_path_factory.mktemp("csv") / "run", failing=0.1, scale=0.1)
    write_csv(folder)
    return folder


def test_the_samples_are_those_of_every_attempt_exactly(run: Path) -> None:
    rows = read(run / "samples.csv")
    stored = RunReader(run).all_samples()
    assert len(rows) == len(stored)
    for name in SAMPLES.numbers:
        found = [float(row[name]) if row[name] else math.nan for row in rows]
        np.testing.assert_array_equal(found, stored.number(name))
    for name in SAMPLES.texts:
        assert [row[name] for row in rows] == stored.text(name)
    assert {(row["step"], row["part"].split(".")[0]) for row in rows} == {
        (str(number), str(number)) for number in range(1, 9)
    }


def test_each_reading_of_a_monitor_is_a_row(run: Path) -> None:
    rows = read(run / "series.csv")
    reader = RunReader(run)
    memory = [row for row in rows if (row["series"], row["column"]) == ("server", "rss_bytes")]
    assert [float(row["value"]) for row in memory] == reader.series("server").number(
        "rss_bytes"
    ).tolist()
    assert {row["series"] for row in rows} <= set(SERIES)
    assert all(row["value"] or row["text"] for row in rows)


def test_each_criterion_of_each_attempt_is_a_row_with_its_numbers(run: Path) -> None:
    rows = read(run / "criteria.csv")
    result = RunReader(run).result()
    attempts = [attempt for step in result.steps for attempt in step.attempts]
    judged = [c for a in attempts for c in [*(c for p in a.parts for c in p.criteria), *a.criteria]]
    assert [row["id"] for row in rows] == [one.id for one in judged]
    assert [row["verdict"] for row in rows] == [one.verdict.value for one in judged]
    measured = [None if not row["measured"] else float(row["measured"]) for row in rows]
    assert measured == [one.measured for one in judged]


def test_no_text_is_a_formula(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    factory.step(3, [Plan("3.1", "Burst", "burst of 7", 7, 1, [])])
    table = RunReader(factory.folder).all_samples()
    data = {"error": FORMULAS, "excerpt": FORMULAS, "due": [-1.5] * 7, "key": ["-{i}"] * 7}
    factory.writer.append_samples("samples/step-3-attempt-1.npy", Table(SAMPLES, data))
    rows = {"text": FORMULAS, "time": [1.0] * 7}
    factory.writer.append_series("log", Table(SERIES["log"], rows))
    folder = factory.write()
    write_csv(folder)
    found = read(folder / "samples.csv")[len(table) :]
    for name in ("error", "excerpt", "key"):
        assert all(row[name].startswith("'") for row in found)
    assert [row["due"] for row in found] == ["-1.5"] * 7  # a number is no formula
    texts = [row["text"] for row in read(folder / "series.csv") if row["column"] == "text"]
    assert len(texts) == 7
    assert all(text.startswith("'") for text in texts)


def test_half_characters_are_written_out(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    factory.step(3, [Plan("3.1", "Burst", "burst of 1", 1, 1, [])])
    data = {"error": ["caf\udce9"]}
    factory.writer.append_samples("samples/step-3-attempt-1.npy", Table(SAMPLES, data))
    folder = factory.write()
    write_csv(folder)
    assert read(folder / "samples.csv")[-1]["error"] == "caf<U+DCE9>"


def test_a_damaged_run_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    folder = whole(tmp_path / "run", scale=0.05)
    (folder / "samples" / "step-4-attempt-1.npy").write_bytes(b"x" * 2000)
    with pytest.raises(RunFolderError, match=r"step-4-attempt-1\.npy is damaged"):
        write_csv(folder)
    assert not list(folder.glob("*.csv"))
    assert not list(folder.glob(".*"))
    (folder / "samples" / "step-4-attempt-1.npy").unlink()
    (folder / "series.csv").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*series\.csv"):
        write_csv(folder)


def test_the_command_writes_the_formats_that_are_asked_for(tmp_path: Path) -> None:
    folder = whole(tmp_path / "run", scale=0.05)
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "csv"])
    assert done.exit_code == 0, done.output
    assert done.output.split() == [
        str(folder / name) for name in ("samples.csv", "series.csv", "criteria.csv")
    ]
    assert not (folder / "report.html").exists()
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "html,csv"])
    assert done.output.split()[-1] == str(folder / "report.html")
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "html,xls"])
    assert done.exit_code == 2
    assert "unknown format 'xls'" in done.output
