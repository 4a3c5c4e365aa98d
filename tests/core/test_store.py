from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from core_samples import run_result, sample, samples, series

from qa_runner.errors import OutputError, RunFolderError
from qa_runner.store import RunReader, RunWriter, write_atomically
from qa_runner.table import Table

DEADLINE_SECONDS = 60


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


# ---------------------------------------------------------------- write_atomically


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert names(tmp_path) == ["run.json"]


def test_a_write_that_fails_leaves_the_old_file_whole_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, b"old")
    code = """
import resource, sys
from pathlib import Path
from qa_runner.errors import OutputError
from qa_runner.store import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as a disk that is full
try:
    write_atomically(Path(sys.argv[1]), b"x" * 5000)
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        python(code, str(path)), capture_output=True, text=True, check=True, timeout=60
    )
    assert f"cannot write {path}" in done.stdout
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["run.json"]


@pytest.mark.parametrize("in_the_way", ["folder", "file above"])
def test_a_path_that_cannot_be_written_is_an_output_error(tmp_path: Path, in_the_way: str) -> None:
    if in_the_way == "folder":
        path = tmp_path / "run.json"
        path.mkdir()
    else:
        (tmp_path / "plain").write_text("")
        path = tmp_path / "plain" / "run.json"
    with pytest.raises(OutputError, match=r"cannot write .*run\.json"):
        write_atomically(path, b"data")
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, b"a" * 100_000)
    code = """
import itertools, sys
from pathlib import Path
from qa_runner.store import write_atomically
print("ready", flush=True)
for count in itertools.count():
    write_atomically(Path(sys.argv[1]), b"ab"[count % 2 : count % 2 + 1] * 100_000)
"""
    with subprocess.Popen(
        python(code, str(path)), stdout=subprocess.PIPE, start_new_session=True
    ) as writer:
        try:
            assert writer.stdout
            writer.stdout.readline()
            for _ in range(300):
                data = path.read_bytes()
                assert len(data) == 100_000
                assert len(set(data)) == 1
        finally:
            writer.kill()


# ---------------------------------------------------------------- create, open, lock


def test_a_run_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts" / "case" / "run-1"
    with RunWriter.create(folder) as writer:
        writer.write_result(run_result())
    assert names(folder) == ["run.json"]
    assert RunReader(folder).result() == run_result()


@pytest.mark.parametrize("above", ["file", "dangling link", "read-only"])
def test_a_folder_that_cannot_be_made_is_an_output_error_with_a_remedy(
    tmp_path: Path, above: str
) -> None:
    folder = tmp_path / "out" / "case-1" / "run-1"
    if above == "file":
        (tmp_path / "out").write_text("")
    elif above == "dangling link":  # as to a disk that is not mounted
        (tmp_path / "out").symlink_to(tmp_path / "gone")
    else:
        folder = Path("/proc/none/case-1/run-1")  # not even for root
    with pytest.raises(OutputError, match=r"cannot write to .*choose another --output"):
        RunWriter.create(folder)


def test_a_run_whose_name_is_taken_gets_a_number_behind_it(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run-1") as first:
        first.write_result(run_result())
        (tmp_path / "run-1-2").write_text("")
        # Also while the other is still at it.
        with RunWriter.create(tmp_path / "run-1") as second:
            assert second.folder == tmp_path / "run-1-3"
            second.write_result(run_result(run_id="run-1-3"))
    assert first.folder == tmp_path / "run-1"
    assert RunReader(first.folder).result() == run_result()
    with RunWriter.create(tmp_path / "run-1") as third:
        assert third.folder == tmp_path / "run-1-4"


def test_runs_created_at_once_get_a_folder_each(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from qa_runner.store import RunWriter
print("ready", flush=True)
sys.stdin.readline()
with RunWriter.create(Path(sys.argv[1])) as writer:
    print(writer.folder.name, flush=True)
    sys.stdin.readline()
"""
    children = [
        subprocess.Popen(
            python(code, str(tmp_path / "case" / "run-1")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for _ in range(3)
    ]
    try:
        for child in children:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin
            child.stdin.write("go\n")
            child.stdin.flush()
        made = sorted(child.stdout.readline().strip() for child in children if child.stdout)
        assert made == ["run-1", "run-1-2", "run-1-3"]
    finally:
        for child in children:
            child.kill()
            child.communicate(timeout=DEADLINE_SECONDS)


def test_a_second_writer_is_refused_until_the_first_has_left(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    with RunWriter.create(folder), pytest.raises(RunFolderError, match="another qa-runner"):
        RunWriter.open(folder)
    with RunWriter.open(folder) as writer:
        writer.write_result(run_result())


_HOLD = """
import sys, time
from pathlib import Path
from qa_runner.store import RunWriter
with RunWriter.open(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_the_lock_of_another_process_is_gone_after_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    RunWriter.create(folder).__exit__(None, None, None)
    with subprocess.Popen(
        python(_HOLD, str(folder)), stdout=subprocess.PIPE, start_new_session=True
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"locked\n"
            with pytest.raises(RunFolderError, match="another qa-runner"):
                RunWriter.open(folder)
        finally:
            os.kill(holder.pid, signal.SIGKILL)
    with RunWriter.open(folder):
        pass
    assert names(folder) == []


def test_a_folder_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises((OutputError, RunFolderError), match="gone"):
        RunWriter.open(tmp_path / "gone")


# ---------------------------------------------------------------- rows


def test_rows_are_on_disk_as_soon_as_an_append_returns(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    with RunWriter.create(folder) as writer:
        writer.append_samples("samples/a.npy", samples(sample(due=1.0)))
        writer.append_samples("samples/a.npy", samples(sample(due=2.0), sample(due=3.0)))
        writer.append_series("server", series("server", {"time": 1.0, "rss_bytes": 5e6}))
        reader = RunReader(folder)
        assert reader.samples("samples/a.npy").number("due").tolist() == [1.0, 2.0, 3.0]
        assert reader.series("server").number("rss_bytes").tolist() == [5e6]


def test_what_a_run_did_not_get_to_write_is_empty(tmp_path: Path) -> None:
    reader = RunReader(tmp_path)
    assert len(reader.samples("samples/none.npy")) == 0
    assert len(reader.samples("samples/none.csv")) == 0
    assert len(reader.series("log")) == 0
    assert len(reader.all_samples()) == 0
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "log.csv").write_text("")
    assert len(reader.series("log")) == 0


def test_the_samples_of_all_attempts_are_read_together_also_those_of_older_versions(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run-1"
    with RunWriter.create(folder) as writer:
        for number in (3, 1):
            rows = samples(sample(due=float(number)))
            writer.append_samples(f"samples/step-1-attempt-{number}.npy", rows)
    old = samples(sample(due=2.0, excerpt="a\r\nb")).to_csv()
    (folder / "samples" / "step-1-attempt-2.csv").write_text(old, newline="")
    found = RunReader(folder).all_samples()
    assert found.number("due").tolist() == [1.0, 2.0, 3.0]
    assert found.text("excerpt") == ["", "a\r\nb", ""]
    assert RunReader(folder).sample_names() == [
        f"samples/step-1-attempt-{name}" for name in ("1.npy", "2.csv", "3.npy")
    ]


def records(*texts: str, time: float = 2.0) -> Table:
    rows = [{"time": time, "level": "ERROR", "text": text} for text in texts]
    return series("log", *rows)


HEADER = series("log").to_csv()
MULTI_LINE = records('line 1\nline "2"\r\nline 3').to_csv(header=False)
CUTS = {
    "in the header": HEADER[:8],
    "before the end of the header's line": HEADER[:-1],
    "in a number": HEADER + records("", time=1.25).to_csv(header=False)[:5],
    "at the end of a line of a text": HEADER + MULTI_LINE[: MULTI_LINE.index("\n") + 1],
    "behind a line of a text": HEADER + MULTI_LINE[: MULTI_LINE.index("\n") + 3],
    "behind the carriage return of a text": HEADER + MULTI_LINE[: MULTI_LINE.index("\r") + 1],
    "before the last newline": HEADER + MULTI_LINE[:-1],
}


@pytest.mark.parametrize("left", CUTS.values(), ids=CUTS)
def test_a_last_line_that_was_cut_off_is_dropped_on_read_and_on_append(
    tmp_path: Path, left: str
) -> None:
    folder = tmp_path / "run-1"
    RunWriter.create(folder).__exit__(None, None, None)
    path = folder / "series" / "log.csv"
    path.write_text(left, encoding="utf-8", newline="")
    assert len(RunReader(folder).series("log")) == 0
    with RunWriter.open(folder) as writer:
        writer.append_series("log", records("b", time=2.0))
        writer.append_series("log", records("c", time=3.0))
    assert RunReader(folder).series("log").number("time").tolist() == [2.0, 3.0]


def test_a_character_that_was_cut_in_half_is_dropped_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    RunWriter.create(folder).__exit__(None, None, None)
    whole = records("first", "ü").to_csv().encode()
    (folder / "series" / "log.csv").write_bytes(whole[: whole.index("ü".encode()) + 1])
    assert RunReader(folder).series("log").text("text") == ["first"]


def test_series_text_with_newlines_and_half_characters_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    texts = ["a\r\nb", "a\rb", "\n", '"', "\x00\x1b[31m", "caf\udce9"]
    with RunWriter.create(folder) as writer:
        writer.append_series("log", records(*texts))
    found = RunReader(folder).series("log").text("text")
    # A lone surrogate has no UTF-8; what it was stands there.
    assert found == [*texts[:-1], "caf\\udce9"]


def test_rows_that_cannot_be_written_are_an_output_error(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run-1") as writer:
        (tmp_path / "run-1" / "series" / "log.csv").mkdir()
        with pytest.raises(OutputError, match=r"cannot write .*log\.csv"):
            writer.append_series("log", series("log", {"time": 1.0}))
        (tmp_path / "run-1" / "samples" / "a.npy").mkdir()
        with pytest.raises(OutputError, match=r"cannot write .*a\.npy: "):
            writer.append_samples("samples/a.npy", samples(sample()))


# ---------------------------------------------------------------- damaged runs


def test_a_folder_without_run_json_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"cannot read .*run\.json: No such file"):
        RunReader(tmp_path).result()


@pytest.mark.parametrize("name", ["a.csv", "a.npy"])
@pytest.mark.parametrize(
    "data", [b"a,b\n1,2\n", b"\xff\xfe\x00\n\n", b"\x00" * 100 + b"\n", b'"' * 10 + b"\n,\n"]
)
def test_samples_that_are_no_samples_are_refused_in_one_line(
    tmp_path: Path, data: bytes, name: str
) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / name).write_bytes(data)
    with pytest.raises(RunFolderError) as caught:
        RunReader(tmp_path).samples(f"samples/{name}")
    assert f"{name} is damaged: " in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["a.csv", "a.npy"])
def test_a_folder_in_the_place_of_samples_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "samples" / name).mkdir(parents=True)
    with pytest.raises(RunFolderError, match=rf"cannot read .*{name}"):
        RunReader(tmp_path).samples(f"samples/{name}")
