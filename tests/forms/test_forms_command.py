"""The command: which files, told where; and what it does inside GitHub Actions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from forms_runs import failing, small

from qa_runner.cli import main
from qa_runner.cli.actions import inert_output, tell_actions
from qa_runner.report.forms.machine_schema import schema
from qa_runner.report.forms.registry import present

NAMES = {
    "html": ["report.html"],
    "junit": ["junit.xml"],
    "ctrf": ["ctrf-report.json"],
    "markdown": ["summary.md"],
    "csv": ["samples.csv", "series.csv", "criteria.csv"],
    "json": ["result.json"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return failing(tmp_path_factory.mktemp("command") / "run")


@pytest.fixture(autouse=True)
def _no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments], prog_name="qa-runner")


def test_every_form_in_one_command_and_the_same_bytes_again(tmp_path: Path) -> None:
    run = small(tmp_path / "run")
    done = invoke("report", run, "--format", "html,junit,ctrf", "--format", "markdown,csv,json")
    assert done.exit_code == 0, done.output
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert sorted(path.name for path in paths) == sorted(
        name for names in NAMES.values() for name in names
    )
    assert paths[-1].name == "report.html"
    assert present(run) == set(NAMES)
    before = {path: path.read_bytes() for path in paths}
    # The page has tests of its own.
    again = invoke("report", run, "--format", ",".join(NAMES.keys() - {"html"}))
    assert again.stdout.splitlines() == done.stdout.splitlines()[:-1]
    assert {path: path.read_bytes() for path in paths} == before
    assert not list(run.glob(".*"))


@pytest.mark.parametrize("form", ["junit", "ctrf", "json"])
def test_one_form_writes_its_file_only(form: str, tmp_path: Path) -> None:
    folder = small(tmp_path / "run")
    held = set(folder.rglob("*"))
    done = invoke("report", folder, "--format", form)
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [str(folder / name) for name in NAMES[form]]
    assert {path.name for path in set(folder.rglob("*")) - held} == set(NAMES[form])


def test_an_unknown_form_is_one_line(run: Path) -> None:
    done = invoke("report", run, "--format", "junit,markdwon")
    assert done.exit_code == 2
    assert done.stderr == (
        "Error: unknown format 'markdwon'. Did you mean markdown? "
        "Valid: html, junit, ctrf, markdown, csv, json\n"
    )


def test_a_run_refuses_an_unknown_form_before_it_begins(tmp_path: Path) -> None:
    done = invoke("run", "PURCHASE-006", "--format", "pdf", "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert "unknown format 'pdf'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_inconclusive_can_fail(run: Path) -> None:
    failures = {}
    for word in ("skipped", "failure"):
        invoke("report", run, "--format", "junit", "--inconclusive", word)
        text = (run / "junit.xml").read_text(encoding="utf-8")
        failures[word] = int(re.search(r'failures="(\d+)"', text)[1])
    assert failures["failure"] == failures["skipped"] + 1


def test_the_schema_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("report", "--schema")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == schema()


def test_a_damaged_run_is_one_line(tmp_path: Path) -> None:
    folder = failing(tmp_path / "run")
    (folder / "samples" / "step-4-attempt-1.npy").write_bytes(b"x" * 2000)
    done = invoke("report", folder, "--format", "junit,json")
    assert done.exit_code == 2
    assert re.fullmatch(r"Error: .*step-4-attempt-1\.npy is damaged: .*\n", done.stderr)
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\\ud800", b'"'])
def test_a_name_that_is_no_text_is_one_line(name: bytes, tmp_path: Path) -> None:
    folder = small(tmp_path / "run")
    data = (folder / "run.json").read_bytes()
    (folder / "run.json").write_bytes(data.replace(b"Purchase API", name, 1))
    done = invoke("report", folder, "--format", "junit,ctrf,markdown,csv,json")
    assert done.exit_code == 2
    assert re.fullmatch(r"Error: .*run\.json is damaged: .*\n", done.stderr)


def test_in_actions_failures_are_annotations_and_the_summary_is_appended(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before", encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for _ in range(2):
        done = invoke("report", run, "--format", "junit")
        assert done.exit_code == 0
    # Whoever reads the list of files reads nothing else.
    assert done.stdout.split() == [str(run / "junit.xml")]
    lines = done.stderr.splitlines()
    assert lines[0].startswith(
        "::error title=PURCHASE-006 3.1-success-rate::success_rate == 100 %25: "
        "measured 80 %25, limit == 100 %25. Likely cause: "
    )
    kinds = [line.split()[0] for line in lines]
    assert kinds == sorted(kinds)  # errors, then warnings
    assert "::warning" in kinds
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# Before\n### ✗ FAIL: PURCHASE-006")
    assert text.count("### ") == 1
    assert "![" not in text
    assert str(run) in text


def test_outside_of_actions_nothing_is_said(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = invoke("report", run, "--format", "junit")
    assert done.stderr == ""
    assert not summary.exists()


def test_a_summary_that_cannot_be_written_does_not_fail_the_job(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    done = invoke("report", run, "--format", "junit")
    assert done.exit_code == 0
    assert "no job summary: cannot write" in done.stderr


@pytest.mark.parametrize("err", [False, True])
def test_what_is_printed_meanwhile_is_no_command(
    err: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run: Path,
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with inert_output(err=err):
        print("::add-mask::from a server", file=sys.stderr if err else sys.stdout)
    tell_actions(run, err=err)
    captured = capsys.readouterr()
    said, silent = (captured.err, captured.out) if err else (captured.out, captured.err)
    assert silent == ""
    first, hostile, last, *told = said.splitlines()
    word = first.removeprefix("::stop-commands::")
    assert (hostile, last) == ("::add-mask::from a server", f"::{word}::")
    assert len(word) == 32
    assert told
    assert all(line.startswith(("::error ", "::warning ")) for line in told)


def test_help_still_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from qa_runner.cli import main\n"
        "try: main(['report', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'matplotlib', 'jinja2', 'msgspec', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--format" in done.stdout
