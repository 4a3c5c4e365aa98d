from __future__ import annotations

from pathlib import Path

import pytest

from qa_runner.errors import RunFolderError
from qa_runner.locate import case_folders, find_run, run_folders


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two cases; a run folder counts once it has a run.json."""
    for name in (
        "case-1/run-20260101-100000",
        "case-1/run-20260103-100000",
        "case-2/run-20260102-100000",
        "case-2/run-20260103-100000",
        "case-2/run-20260102-100000-2",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").write_text("{}")
    (tmp_path / "case-1" / "run-20260109-100000").mkdir()
    (tmp_path / "case-3").mkdir()
    (tmp_path / "latest_runs.csv").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("run-20260101-100000", "case-1/run-20260101-100000"),
        ("run-20260102-100000", "case-2/run-20260102-100000"),
        ("case-1", "case-1/run-20260103-100000"),
        ("CASE-1", "case-1/run-20260103-100000"),
        ("Case-2", "case-2/run-20260103-100000"),
    ],
)
def test_a_run_is_found_by_its_id_or_as_the_latest_of_its_case(
    output: Path, name: str, wanted: str
) -> None:
    assert find_run(name, output) == output / wanted


def test_latest_is_the_latest_of_all_cases(output: Path) -> None:
    newer = output / "case-2" / "run-20260104-100000"
    newer.mkdir()
    (newer / "run.json").write_text("{}")
    assert find_run("latest", output) == newer


def test_a_run_is_found_by_its_path_wherever_it_is(
    output: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("mailed") / "a run"
    elsewhere.mkdir()
    (elsewhere / "run.json").write_text("{}")
    assert find_run(str(elsewhere), output) == elsewhere
    assert find_run(f"{elsewhere}/", output) == elsewhere
    assert find_run(f"{elsewhere}/run.json", output) == elsewhere
    assert find_run(str(elsewhere), output / "nowhere") == elsewhere
    monkeypatch.chdir(elsewhere.parent)
    assert find_run("a run", output).resolve() == elsewhere


def test_a_run_id_that_two_cases_have_is_refused_with_the_paths(output: Path) -> None:
    with pytest.raises(RunFolderError) as caught:
        find_run("run-20260103-100000", output)
    assert "names several runs" in str(caught.value)
    assert str(output / "case-1" / "run-20260103-100000") in str(caught.value)
    assert str(output / "case-2" / "run-20260103-100000") in str(caught.value)


@pytest.mark.parametrize("name", ["run-20260109-100000", "case-3", "case-9", "x" * 5000, "\udcff"])
def test_what_is_no_run_is_refused_with_the_newest_there_are(output: Path, name: str) -> None:
    with pytest.raises(RunFolderError) as caught:
        find_run(name, output)
    assert "no run '" in str(caught.value)
    assert str(caught.value).endswith(
        "(newest: run-20260103-100000, run-20260103-100000, run-20260102-100000-2)"
    )


@pytest.mark.parametrize("file", ["run.json", "report.html", "server.log"])
def test_a_file_of_a_run_folder_leads_to_it(
    output: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    folder = output / "case-1" / "run-20260101-100000"
    (folder / file).write_text("{}")
    assert find_run(str(folder / file), output / "nowhere") == folder
    monkeypatch.chdir(folder)
    assert find_run(file, output).resolve() == folder.resolve()


@pytest.mark.parametrize("name", ["/no/such/place", "no/such", "case-1/run-20260101-100000/none"])
def test_a_path_that_is_not_there_says_so(output: Path, name: str) -> None:
    with pytest.raises(RunFolderError) as caught:
        find_run(name, output)
    assert str(caught.value) == f"there is no {name}; give a run folder, a run id or a case id"


@pytest.mark.parametrize("place", ["case-3", "case-1/run-20260109-100000", "latest_runs.csv"])
def test_a_path_that_is_no_run_folder_says_so(output: Path, place: str) -> None:
    with pytest.raises(RunFolderError) as caught:
        find_run(str(output / place), output)
    assert str(caught.value) == f"{output / place} is no run folder: it has no run.json"


def test_a_folder_beside_does_not_hide_the_case_of_its_name(
    output: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path_factory.mktemp("here")
    (here / "case-1").mkdir()
    monkeypatch.chdir(here)
    assert find_run("case-1", output) == output / "case-1" / "run-20260103-100000"


@pytest.mark.parametrize("name", ["latest", "case-1", "run-20260101-100000"])
def test_without_any_run_the_next_step_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunFolderError, match=r"no runs below .*start one with: qa-runner run"):
        find_run(name, tmp_path / "artifacts")


def test_folders_are_listed_oldest_first_and_only_those_with_runs(output: Path) -> None:
    assert [folder.name for folder in case_folders(output)] == ["case-1", "case-2"]
    assert [run.name for run in run_folders(output / "case-2")] == [
        "run-20260102-100000",
        "run-20260102-100000-2",
        "run-20260103-100000",
    ]
    assert run_folders(output / "case-9") == []
    assert case_folders(output / "nowhere") == []
    assert case_folders(output / "latest_runs.csv") == []


@pytest.mark.parametrize("name", ["mine", "case-3"])
def test_a_folder_here_that_is_no_run_is_told_so(
    output: Path,
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    Path(name).mkdir()
    Path("case-1").mkdir()
    for below in (output, Path("none")):
        with pytest.raises(RunFolderError, match=f"^{name} is no run folder: it has no run.json$"):
            find_run(name, below)
    # A name of a case is that of its latest run, whatever stands here.
    assert find_run("case-1", output).name == "run-20260103-100000"
