"""Runs of a case that sends nothing: what is on disk, locked and told when one is over."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from own_case import own_case

from qa_runner.errors import CouldNotRun, RunFolderError, StopRequested
from qa_runner.events import Event, PartStarted, StepStarted
from qa_runner.result import RunResult
from qa_runner.runner import Runner
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.store import RunReader, RunWriter

CASE = '''
from qa_runner import Param, Step, StepContext, TestCase, part


class Only(Step):
    """The only one."""

    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "{times} times nothing", times=Param(3), criteria=("server_processes == 3",))
    def first(self, ctx: StepContext, times: int) -> None:
        """Nothing."""
        ctx.record("server_processes", times)


class Case(TestCase):
    """A case."""

    id = "MINE-1"
    name = "Mine"
    description = "For the tests"
    steps = (Only,)

    def preflight(self, ctx: StepContext) -> None:
        """Nothing either; a stop is seen here first."""
        ctx.sleep(0.01)
'''


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunSettings]:
    with own_case(CASE, tmp_path, monkeypatch) as settings:
        yield settings


class Finish:
    """What stood on disk when a run was over."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.locked = False

    def __call__(self, run: RunResult, folder: Path) -> None:
        self.folders.append(folder)
        assert RunReader(folder).result() == run
        with pytest.raises(RunFolderError, match="another qa-runner"):
            RunWriter.open(folder)
        self.locked = True


def test_a_run_is_finished_once_while_its_folder_is_locked(settings: RunSettings) -> None:
    finish = Finish()
    run = Runner([], StopToken(), finish).run(settings)
    folder = settings.output / "mine-1" / run.run_id
    assert run.status == "finished"
    assert run.verdict == "PASS"
    assert (finish.folders, finish.locked) == ([folder], True)
    RunWriter.open(folder).__exit__(None, None, None)  # free again

    again = Finish()
    rerun = Runner([], StopToken(), again).rerun(folder, 1)
    assert (again.folders, again.locked) == ([folder], True)
    assert [attempt.number for attempt in rerun.steps[0].attempts] == [1, 2]
    assert RunReader(folder).result() == rerun


def test_an_attempt_is_on_disk_before_its_first_part(settings: RunSettings) -> None:
    seen: list[int] = []
    titles: list[str] = []

    def listener(event: Event) -> None:
        if isinstance(event, StepStarted):
            (folder,) = (settings.output / "mine-1").iterdir()
            seen.append(len(RunReader(folder).result().steps[0].attempts))
        if isinstance(event, PartStarted):
            titles.append(event.title)

    run = Runner([listener], StopToken(), lambda *_: None).run(settings)
    assert seen == [1]
    assert titles == ["3 times nothing"]
    assert run.steps[0].attempts[0].parts[0].title == "3 times nothing"


def test_a_rerun_that_was_stopped_before_anything_leaves_the_run_as_it_was(
    settings: RunSettings,
) -> None:
    run = Runner([], StopToken(), lambda *_: None).run(settings)
    folder = settings.output / "mine-1" / run.run_id
    before = (folder / "run.json").read_bytes()
    stop = StopToken()
    stop.stop("by Ctrl-C")
    finish = Finish()
    with pytest.raises(StopRequested, match="by Ctrl-C"):
        Runner([], stop, finish).rerun(folder, 1)
    assert (folder / "run.json").read_bytes() == before
    assert finish.folders == []


def test_a_rerun_whose_target_is_gone_leaves_the_run_as_it_was(settings: RunSettings) -> None:
    run = Runner([], StopToken(), lambda *_: None).run(settings)
    folder = settings.output / "mine-1" / run.run_id
    stored = RunReader(folder).result()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        stored.target = msgspec.structs.replace(stored.target, url=url)
        with RunWriter.open(folder) as writer:
            writer.write_result(stored)
        before = (folder / "run.json").read_bytes()
        finish = Finish()
        with pytest.raises(CouldNotRun, match="refused the connection"):
            Runner([], StopToken(), finish).rerun(folder, 1)
    assert (folder / "run.json").read_bytes() == before
    assert finish.folders == []
