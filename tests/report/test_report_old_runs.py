"""Runs of versions that stored samples in another way are still rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from run_factory import Factory, plans

from qa_runner.report.html import page, render
from qa_runner.store import RunReader
from qa_runner.table import SAMPLES


def without_later_columns(csv: str) -> str:
    """CSV as it was before these columns; nothing that the factory stores needs quotes there."""
    dropped = [SAMPLES.names.index(name) for name in SAMPLES.later]
    lines = []
    for line in csv.splitlines(keepends=True):
        cells = line.split(",")
        lines.append(",".join(cell for at, cell in enumerate(cells) if at not in dropped))
    return "".join(lines)


def stored_run(tmp_path: Path) -> tuple[Path, Factory]:
    """A run of the steps that have the most requests and series."""
    factory = Factory(tmp_path / "run")
    for number in (3, 5):
        listed = plans(failing=0.1, scale=0.05)
        factory.step(number, [plan for plan in listed if plan.part.startswith(f"{number}.")])
    return factory.write(), factory


def test_a_run_with_samples_as_csv_reads_as_one_of_today(tmp_path: Path) -> None:
    folder, factory = stored_run(tmp_path)
    today = page(RunReader(folder))
    for step in factory.run.steps:
        for attempt in step.attempts:
            stored = folder / attempt.samples
            table = RunReader(folder).samples(attempt.samples)
            text = without_later_columns(table.to_csv())
            assert "database_seconds" not in text
            stored.with_suffix(".csv").write_text(text, encoding="utf-8", newline="")
            stored.unlink()
            stored.with_suffix(".jsonl").unlink()
            attempt.samples = attempt.samples.replace(".npy", ".csv")
    factory.write()
    old = render(folder).read_text(encoding="utf-8")
    figures = today.count("<svg")
    assert old.count("<svg") == figures
    for piece in today.split("<svg")[1 : figures + 1]:
        drawing = piece[: piece.index("</svg>")]
        assert drawing in old
    assert 'href="samples/step-3-attempt-1.csv"' in old
    assert 'href="samples/step-3-attempt-1.jsonl"' in today


def test_records_without_the_columns_of_today_read_as_those_that_lack_them(tmp_path: Path) -> None:
    folder, factory = stored_run(tmp_path)
    today = page(RunReader(folder))
    for step in factory.run.steps:
        for attempt in step.attempts:
            path = folder / attempt.samples
            records = np.load(path)
            kept = [name for name in records.dtype.names if name not in SAMPLES.later]
            header = str(
                {
                    "descr": np.empty(0, [(n, records.dtype[n]) for n in kept]).dtype.descr,
                    "fortran_order": False,
                    "shape": records.shape,
                }
            )
            old = np.empty(records.shape, [(name, records.dtype[name]) for name in kept])
            for name in kept:
                old[name] = records[name]
            head = path.read_bytes()[:10] + header.encode("ascii").ljust(1024 - 11) + b"\n"
            path.write_bytes(head + old.tobytes())
            assert np.load(path).dtype.names == tuple(kept)
    assert page(RunReader(folder)) == today
