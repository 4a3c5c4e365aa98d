"""A rerun may meet another version of the target than the run did: both are told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from run_factory import Factory, plans, session

from qa_runner.report.html import page
from qa_runner.report.version import measured_versions, version_caution
from qa_runner.result import RunResult
from qa_runner.store import RunReader


def run_of(folder: Path, versions: tuple[str, str]) -> Factory:
    """Steps 2 and 3 of session 1; step 3 again in session 2, whose version is the target's."""
    sessions = [
        msgspec.structs.replace(session(number), version=version)
        for number, version in enumerate(versions, start=1)
    ]
    factory = Factory(folder / "run", sessions=sessions)
    for number, session_id in ((2, 1), (3, 1), (3, 2)):
        mine = [plan for plan in plans(scale=0.02) if plan.part.startswith(f"{number}.")]
        factory.step(number, mine, attempt=session_id, session_id=session_id)
    factory.run.target = msgspec.structs.replace(factory.run.target, version=versions[1])
    return factory


def told(run: RunResult) -> tuple[str, list[str]]:
    return measured_versions(run), version_caution(run)


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        (("1.4", "1.5"), "1.4 (step 2), 1.5 (step 3)"),
        (("", "1.5"), "an unknown version (step 2), 1.5 (step 3)"),
    ],
)
def test_different_versions_are_told_with_their_steps(
    tmp_path: Path, versions: tuple[str, str], words: str
) -> None:
    factory = run_of(tmp_path, versions)
    assert told(factory.run) == (
        words,
        [f"The steps measured different versions of the target: {words}."],
    )
    text = page(RunReader(factory.write()))
    assert text.count(words) == 2  # in the banner and beneath "can these figures be trusted"


@pytest.mark.parametrize("version", ["1.4", ""])
def test_one_version_is_that_of_the_run(tmp_path: Path, version: str) -> None:
    assert told(run_of(tmp_path, (version, version)).run) == (version, [])


def test_runs_of_before_have_the_version_of_their_target(tmp_path: Path) -> None:
    run = run_of(tmp_path, ("", "")).run
    run.target = msgspec.structs.replace(run.target, version="1.3")
    assert told(run) == ("1.3", [])


def test_what_was_measured_again_in_full_is_of_one_version(tmp_path: Path) -> None:
    run = run_of(tmp_path, ("1.4", "1.5")).run
    run.steps = run.steps[1:]
    assert told(run) == ("1.5", [])
