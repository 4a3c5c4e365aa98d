"""Runs of versions that stored samples as CSV are still rendered."""

from __future__ import annotations

from pathlib import Path

from run_factory import Factory, fill

from qa_runner.report.html import page, render
from qa_runner.store import RunReader


def test_a_run_with_samples_as_csv_reads_as_one_of_today(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    fill(factory, failing=0.1, scale=0.05)
    folder = factory.write()
    today = page(RunReader(folder))
    for step in factory.run.steps:
        for attempt in step.attempts:
            stored = folder / attempt.samples
            table = RunReader(folder).samples(attempt.samples)
            stored.with_suffix(".csv").write_text(table.to_csv(), encoding="utf-8", newline="")
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
