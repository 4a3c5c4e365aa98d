"""Runs that calibrate their generator, and a generator that is too slow for its load."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from core_samples import criterion, observe
from test_calibration import made

from qa_runner import calibration_cache, headroom, session
from qa_runner.calibration import Calibration
from qa_runner.calibration_cache import cache_folder
from qa_runner.cli import main
from qa_runner.clock import Clock
from qa_runner.criteria import judge
from qa_runner.errors import CalibrationError
from qa_runner.events import Event, Notice
from qa_runner.load.plan import LoadPlan, RequestTemplate, VirtualUsers
from qa_runner.load.process import GeneratorProcess
from qa_runner.load.stub_process import StubProcess
from qa_runner.result import RunResult
from qa_runner.runner import Runner
from qa_runner.saturation import saturation
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.store import RunReader
from qa_runner.table import SAMPLES, SERIES, Table
from qa_runner.verdict import Verdict

CASE = """
from qa_runner import Burst, Step, StepContext, TestCase, part, request


class Only(Step):
    \"\"\"The only one.\"\"\"

    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "A burst", criteria=("response_time p(50) < 30 s",))
    def first(self, ctx: StepContext) -> None:
        \"\"\"Send.\"\"\"
        ctx.load(Burst(requests=5), request("GET", "/"))


class Case(TestCase):
    \"\"\"A case.\"\"\"

    id = "MINE-2"
    name = "Mine"
    description = "For the tests"
    steps = (Only,)

    def preflight(self, ctx: StepContext) -> None:
        \"\"\"Nothing.\"\"\"
"""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunSettings]:
    (tmp_path / "testcases" / "mine").mkdir(parents=True)
    (tmp_path / "testcases" / "mine" / "__init__.py").write_text(CASE)
    monkeypatch.chdir(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield RunSettings(
        case="MINE-2",
        target=f"http://127.0.0.1:{server.server_port}",
        output=tmp_path / "artifacts",
    )
    server.shutdown()
    server.server_close()
    thread.join()


def perform(settings: RunSettings) -> tuple[RunResult, list[str], Path]:
    """The run as stored, what was said on the way, and its folder."""
    said: list[str] = []
    folders: list[Path] = []

    def listen(event: Event) -> None:
        if isinstance(event, Notice):
            said.append(event.text)

    runner = Runner([listen], StopToken(), lambda _run, folder: folders.append(folder))
    runner.run(settings)
    return RunReader(folders[0]).result(), said, folders[0]


def test_a_run_measures_its_generator_once_and_keeps_what_it_found(
    settings: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_RUNNER_CACHE", str(tmp_path / "cache"))
    run, said, folder = perform(settings)
    assert said[0] == "calibrating the load generator, about 4 s"
    found = run.sessions[0].calibration
    assert found is not None
    assert not found.from_cache
    (load,) = run.steps[0].attempts[0].parts[0].loads
    assert (load.number, load.burst, load.caution) == (1, 5, "")
    assert load.generator_cpu_percent is not None
    # Neither its requests nor its readings are any of the run's.
    assert len(RunReader(folder).all_samples()) == 5
    # A machine that others keep busy may have been found too busy: that is said again.
    again, said, _ = perform(settings)
    assert not [text for text in said if text.startswith("calibrating")]
    assert again.sessions[0].calibration == msgspec.structs.replace(found, from_cache=True)

    Runner([], StopToken(), lambda _run, _folder: None).rerun(folder, 1)
    sessions = RunReader(folder).result().sessions
    assert sessions[1].calibration == msgspec.structs.replace(found, from_cache=True)


def test_a_run_whose_generator_cannot_be_measured_goes_on_and_says_so(
    settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Calibration:
        raise CalibrationError("the stub server could not be started: no")

    monkeypatch.setattr(session, "calibrated", fail)
    run, said, _ = perform(settings)
    text = "The load generator was not calibrated: the stub server could not be started: no."
    assert said == [text]
    assert run.notes == [text]
    assert (run.sessions[0].calibration, run.verdict) == (None, Verdict.PASS)


def test_a_busy_machine_and_a_load_near_the_limit_are_said_and_decide_nothing(
    settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = made().new_connections
    busy = made(
        overhead_p99_seconds=4.0,
        new_connections=msgspec.structs.replace(slow, requests_per_second=3.0),
    )
    monkeypatch.setattr(session, "calibrated", lambda *_: busy)
    # As if each of the five requests had taken it a second, and in a load long enough to tell.
    monkeypatch.setattr(headroom, "_LEAST_SECONDS", 0.0)
    spent = iter(range(0, 1000, 5))
    monkeypatch.setattr(GeneratorProcess, "cpu_seconds", lambda _: float(next(spent)))
    run, said, _ = perform(settings)
    assert said == [busy.problem] == run.notes
    (part,) = run.steps[0].attempts[0].parts
    assert part.loads[0].caution.startswith("The load reached ")
    (result,) = part.criteria
    assert result.verdict is Verdict.PASS
    assert part.loads[0].caution in result.note
    assert "adds up to 4000.0 ms by its calibration, 13 % of this limit" in result.note


# ---------------------------------------------------------------- saturation, for real


@contextmanager
def pulses(pid: int, seconds: float) -> Iterator[None]:
    """Let a process stand still again and again, as one that gets no CPU does."""
    over = threading.Event()

    def pulse() -> None:
        while not over.wait(0.05):
            os.kill(pid, signal.SIGSTOP)
            over.wait(seconds)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=pulse)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("slowed", [True, False])
def test_what_a_generator_that_stood_still_measured_is_no_failure_of_the_server(
    *, slowed: bool
) -> None:
    clock = Clock()
    with StubProcess() as stub, closing(GeneratorProcess(clock)) as generator:
        generator.start()
        plan = LoadPlan(
            number=1,
            shape=VirtualUsers(users=3, duration_seconds=2.5),
            request=RequestTemplate(method="GET", url=f"{stub.url}/after/20"),
            tag="t",
            connections="keep-alive",
        )
        with pulses(generator.pid if slowed else stub.pid, 0.6):
            start = clock.now()
            handle = generator.submit(plan, part="1.1", role="main")
            health = []
            while not handle.finished:
                generator.poll(0.2)
                health.append(generator.health())
            end = clock.now()
    readings = Table.concatenate(SERIES["generator"], health)
    samples = Table.concatenate(SAMPLES, [handle.take()])
    observation = observe(samples, start=start, end=end, saturated=saturation(readings, start, end))
    rule = criterion("response_time max < 0.3 s")
    result = judge(rule, observation.measure(rule))
    assert result.measured is not None
    assert result.measured > 0.3
    if slowed:
        assert result.verdict is Verdict.ERROR
        assert "load generator saturated: its event loop lagged by " in result.note
    elif not observation.saturated:
        # The server stood still: that is its own. (A machine that is kept busy by others can
        # slow the generator down too.)
        assert result.verdict is Verdict.FAIL


# ---------------------------------------------------------------- the command


def test_calibrate_measures_anew_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_RUNNER_CACHE", str(tmp_path))
    done = CliRunner().invoke(main, ["calibrate", "--json"])
    assert done.exit_code == 0
    found = msgspec.json.decode(done.stdout, type=Calibration)
    (path,) = cache_folder().iterdir()
    assert json.loads(path.read_bytes()) == json.loads(done.stdout)
    assert found.keep_alive.requests > 0


def test_calibrate_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QA_RUNNER_CACHE", str(tmp_path))
    monkeypatch.setattr(calibration_cache, "calibrate", lambda *_: made(lateness_p99_seconds=0.03))
    done = CliRunner().invoke(main, ["calibrate"])
    assert done.exit_code == 0
    assert "0.3 ms at the median, 1.8 ms at p(99): 50 users" in done.stdout.replace("0.30", "0.3")
    assert "at least 40,000 req/s (25 µs of CPU each) on kept connections, 8,000" in done.stdout
    assert "too busy" in done.stderr
