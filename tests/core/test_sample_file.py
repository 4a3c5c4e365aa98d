"""The file of samples: what is written reads back, whatever cut it off or damaged it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from core_samples import sample, samples
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.load.plan import Outcome
from qa_runner.sample_file import SampleWriter, read_samples
from qa_runner.table import SAMPLES, Table
from qa_runner.text_column import TextColumn

HOSTILE = [
    "a\r\nb",
    "\n",
    '"',
    "\x00\x1b[31m",
    "caf\udce9",
    "\ud800",
    "\u2028",
    "[]",
    "{i}",
    "=1+1",
]
_TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=["Cs", "Cc"]), max_size=4),
    st.sampled_from(HOSTILE),
)
_ROWS = st.lists(st.tuples(st.floats(), _TEXTS, _TEXTS), max_size=8)


def whole(text: str) -> str:
    """Both halves of a character side by side are that character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def table_of(rows: list[tuple[float, str, str]]) -> Table:
    return Table.from_rows(
        SAMPLES,
        [
            {"due": due, "iteration": place, "error": whole(error), "excerpt": whole(excerpt)}
            for place, (due, error, excerpt) in enumerate(rows)
        ],
    )


def assert_same(found: Table, wanted: Table) -> None:
    assert len(found) == len(wanted)
    for name in SAMPLES.numbers:
        np.testing.assert_array_equal(found.number(name), wanted.number(name))
    for name in SAMPLES.texts:
        assert found.text(name) == wanted.text(name)


def test_what_no_row_was_told_takes_no_memory_after_reading_either(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path / "a.npy")
    writer.append(samples(sample(), sample(queries=7)))
    writer.append(samples(sample(database_seconds=0.25)))
    found = read_samples(tmp_path / "a.npy")
    np.testing.assert_array_equal(found.number("queries"), [np.nan, 7, np.nan])
    np.testing.assert_array_equal(found.number("database_seconds"), [np.nan, np.nan, 0.25])
    assert np.isnan(found.number("application_seconds")).all()
    (block,) = found._blocks
    assert block.numbers["application_seconds"].nbytes == 8


@given(st.lists(_ROWS, max_size=4), st.sets(st.integers(0, 3)))
def test_what_is_appended_reads_back_exactly_also_by_a_writer_that_goes_on(
    tmp_path_factory: pytest.TempPathFactory,
    chunks: list[list[tuple[float, str, str]]],
    reopened: set[int],
) -> None:
    path = tmp_path_factory.mktemp("samples") / "a.npy"
    writer = SampleWriter(path)
    for number, rows in enumerate(chunks):
        if number in reopened:
            writer = SampleWriter(path)
        writer.append(table_of(rows))
    assert_same(read_samples(path), Table.concatenate(SAMPLES, [table_of(c) for c in chunks]))


def test_numpy_itself_reads_the_records(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    writer = SampleWriter(path)
    writer.append(samples(sample(due=1.5), sample(Outcome.TIMEOUT, due=2.5, error="slow")))
    writer.append(samples(sample(due=3.5)))
    records = np.load(path, allow_pickle=False)
    assert records["due"].tolist() == [1.5, 2.5, 3.5]
    assert records["status"].tolist() == [201, 0, 201]
    texts = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
    assert [texts[code] for code in records["outcome"]] == ["success", "timeout", "success"]
    assert [texts[code] for code in records["error"]] == ["", "slow", ""]
    assert len(texts) == len(set(texts))


def test_keys_that_differ_by_their_number_take_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    writer = SampleWriter(path)
    for start in (0, 500):
        numbers = np.arange(start, start + 500)
        key = TextColumn.same(("qa-", "-{i}@", ""), 500)
        writer.append(Table(SAMPLES, {"iteration": numbers, "key": key}))
    found = read_samples(path)
    assert found.text("key") == [f"qa-{n}-{{i}}@{n}" for n in range(1, 1001)]
    assert len(path.with_suffix(".jsonl").read_text().splitlines()) == 2
    picked = found.rows(np.array([0, 999]))
    assert picked.text("key") == ["qa-1-{i}@1", "qa-1000-{i}@1000"]
    assert picked.text_equals("key", "qa-1000-{i}@1000").tolist() == [False, True]


def written(folder: Path) -> Path:
    path = folder / "a.npy"
    writer = SampleWriter(path)
    writer.append(samples(sample(due=1.0, error="first"), sample(due=2.0, error="second")))
    return path


@pytest.mark.parametrize("end", [0, 1, 5, 100, 1023])
def test_a_file_that_ends_in_its_header_has_no_rows_yet_and_is_begun_anew(
    tmp_path: Path, end: int
) -> None:
    path = written(tmp_path)
    os.truncate(path, end)
    assert len(read_samples(path)) == 0
    SampleWriter(path).append(samples(sample(due=3.0)))
    assert read_samples(path).number("due").tolist() == [3.0]


@pytest.mark.parametrize("cut", [1, 50, 123])
def test_a_record_that_was_cut_off_is_dropped_on_read_and_on_append(
    tmp_path: Path, cut: int
) -> None:
    path = written(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    assert read_samples(path).number("due").tolist() == [1.0]
    SampleWriter(path).append(samples(sample(due=3.0, error="third")))
    found = read_samples(path)
    assert found.number("due").tolist() == [1.0, 3.0]
    assert found.text("error") == ["first", "third"]
    assert len(np.load(path)) == 2


def test_a_text_that_was_cut_off_is_dropped_where_nothing_refers_to_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    texts = path.with_suffix(".jsonl")
    with texts.open("ab") as file:
        file.write(b'"half of a te')
    assert read_samples(path).text("error") == ["first", "second"]
    SampleWriter(path).append(samples(sample(due=3.0, error="third")))
    assert read_samples(path).text("error") == ["first", "second", "third"]


DAMAGES = {
    "texts that are missing": lambda path: path.with_suffix(".jsonl").unlink(),
    "texts that are cut off": lambda path: os.truncate(path.with_suffix(".jsonl"), 8),
    "texts that are no JSON": lambda path: path.with_suffix(".jsonl").write_bytes(b"\xff\n"),
    "texts that are other JSON": lambda path: path.with_suffix(".jsonl").write_bytes(b"1\n" * 9),
    "deep texts": lambda path: path.with_suffix(".jsonl").write_bytes(b"[" * 99999 + b"\n"),
    "another magic": lambda path: patch(path, 0, b"PK"),
    "a header that is no dictionary": lambda path: patch(path, 10, b"[" * 1000),
    "a header with code": lambda path: patch(path, 10, b"__import__('os').abort()".ljust(1000)),
    "objects": lambda path: patch(
        path, 10, b"{'descr': [('outcome', '|O')], 'shape': (1,)}".ljust(1000)
    ),
    "other columns": lambda path: patch(path, 10, b"{'descr': '<f8', 'shape': (1,)}".ljust(1000)),
    "codes that are no numbers": lambda path: patch(
        path, 10, b"{'descr': [('outcome', '<f8')], 'shape': (1,)}".ljust(1000)
    ),
}


def patch(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_a_value_error_in_one_line(tmp_path: Path, damage: object) -> None:
    path = written(tmp_path)
    assert callable(damage)
    damage(path)
    with pytest.raises(ValueError, match=r"\S") as caught:
        read_samples(path)
    assert len(str(caught.value).splitlines()) == 1


@given(st.integers(0, 1300), st.binary(min_size=1, max_size=4))
def test_bytes_that_are_overwritten_anywhere_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, data: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("samples"))
    patch(path, min(place, path.stat().st_size - len(data)), data)
    try:
        table = read_samples(path)
    except ValueError:
        return
    for name in SAMPLES.texts:
        assert len(table.text(name)) == len(table)


_APPEND = """
import sys
from pathlib import Path
from core_samples import sample, samples
from qa_runner.sample_file import SampleWriter
writer = SampleWriter(Path(sys.argv[1]))
number = 0
while True:
    writer.append(samples(*(sample(due=number + n, error=f"text {number + n}") for n in range(50))))
    number += 50
    if number == 500:
        print("going", flush=True)
"""


def test_kill_9_loses_at_most_the_rows_that_were_being_written(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", _APPEND, str(path)], stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"going\n"
        finally:
            os.kill(process.pid, signal.SIGKILL)
    found = read_samples(path)
    assert len(found) >= 500
    assert found.number("due").tolist() == list(range(len(found)))
    assert found.text("error") == [f"text {n}" for n in range(len(found))]
    SampleWriter(path).append(samples(sample(due=-1.0, error="on")))
    assert read_samples(path).text("error")[-2:] == [f"text {len(found) - 1}", "on"]
