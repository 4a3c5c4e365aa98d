"""More than a generator can do: a load that is too much, and functions that never return."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from load_bench import Bench, RawServer
from test_load_process import wait_until_gone

from qa_runner.errors import GeneratorError
from qa_runner.load.plan import (
    Burst,
    ConstantArrivalRate,
    Outcome,
    RampingArrivalRate,
    Sequential,
    Shape,
    VirtualUsers,
)
from qa_runner.load.reference import Reference
from qa_runner.table import Table

Answering = Callable[..., RawServer]

TOO_MUCH = [
    ConstantArrivalRate(rate=1_000_000, duration_seconds=10, max_in_flight=20),
    Burst(requests=1_000_000, max_in_flight=20),
    # Of 60 each at a time: as many as the server of this test can have.
    *(
        Burst(requests=60, repeat=5_000, every_seconds=0.0, max_in_flight=limit)
        for limit in (1, 60)
    ),
]


@pytest.mark.parametrize("shape", TOO_MUCH, ids=["rate", "burst", "bursts of 1", "bursts of 60"])
def test_answers_are_read_and_commands_obeyed(
    bench: Bench, answering: Answering, shape: Shape
) -> None:
    handle = bench.submit(answering().url, shape, connections="keep-alive")
    arrived: list[Table] = []

    def some_succeeded() -> bool:
        arrived.append(handle.take())
        return any(str(Outcome.SUCCESS) in table.text("outcome") for table in arrived)

    bench.until(some_succeeded)
    assert not handle.finished
    handle.stop()
    bench.wait(handle)
    rest = handle.take()
    assert handle.stop_reason == "stopped"
    rows = sum(map(len, arrived)) + len(rest)
    assert rows < handle.progress.expected  # type: ignore[operator]
    # Each that was due has its row, in whatever order they ended.
    numbers = np.concatenate([table.number("iteration") for table in (*arrived, rest)])
    assert sorted(numbers.tolist()) == list(range(rows))


def test_a_crowd_enters_whole_and_once(bench: Bench, answering: Answering) -> None:
    """Users for whom there was no time in the first turn of the loop come in the next ones."""
    samples = bench.run(answering().url, VirtualUsers(users=400, requests_per_user=1))
    assert sorted(samples.number("user").tolist()) == list(range(400))
    assert set(samples.number("due").tolist()) == {samples.number("due")[0]}
    assert set(samples.text("outcome")) == {"success"}


def test_a_crowd_is_stopped_while_it_enters(bench: Bench, answering: Answering) -> None:
    handle = bench.submit(answering().url, VirtualUsers(users=3_000, duration_seconds=60))
    handle.stop()
    bench.wait(handle)
    assert handle.stop_reason == "stopped"


def test_the_first_arrival_waits_for_its_time(bench: Bench, answering: Answering) -> None:
    """The rate begins at 0, stays there, and jumps: nothing is due before."""
    shape = RampingArrivalRate(start_rate=0, stages=((0, 0.3), (100, 0), (100, 0.1)))
    samples = bench.run(answering().url, shape)
    assert len(samples) == 10
    late = samples.number("started") - samples.number("due")
    assert (late >= 0).all()
    due = np.sort(samples.number("due"))
    assert due[-1] - due[0] == pytest.approx(0.09)


@pytest.mark.parametrize("pause", [1e12, 1e300])
def test_a_pause_as_long_as_can_be(bench: Bench, answering: Answering, pause: float) -> None:
    handle = bench.submit(answering().url, Sequential(requests=2, pause_seconds=pause))
    bench.until(lambda: handle.progress.done == 1)
    handle.stop()
    bench.wait(handle)
    assert handle.stop_reason == "stopped"
    assert bench.row(answering().url)["outcome"] == "success"


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        (Burst(requests=2.5), {}, "Expected `int`, got `float` - at `shape.requests`"),  # type: ignore[arg-type]
        (VirtualUsers(users=2.5, requests=4), {}, "at `shape.users`"),  # type: ignore[arg-type]
        (Sequential(requests=True), {}, "got `bool`"),
        (Sequential(requests=1), {"expect": (("a", 2**70),)}, "can't serialize ints"),
        (Sequential(requests=1), {"body": "x" * 260 * 1024 * 1024}, "260 MiB are too much"),
    ],
    ids=["requests", "users", "bool", "number", "body"],
)
def test_what_cannot_travel_is_refused_and_the_generator_goes_on(
    bench: Bench, answering: Answering, shape: Shape, options: dict[str, object], said: str
) -> None:
    server = answering()
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refused:
        bench.submit(server.url, shape, request=options)
    assert said in str(refused.value)
    assert bench.row(server.url)["outcome"] == "success"


@pytest.fixture
def endless(tmp_path: Path) -> Reference:
    """A check that never returns."""
    (tmp_path / "endless.py").write_text("def check(response):\n    while True:\n        pass\n")
    return Reference(folder=str(tmp_path), module="endless", name="check")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa_runner.load.process._SILENT_AFTER_STOP_SECONDS", 1.5)


@pytest.mark.usefixtures("impatient")
def test_a_function_that_never_returns_does_not_outlast_a_stop(
    own_bench: Bench, answering: Answering, endless: Reference
) -> None:
    server, pid = answering(), own_bench.process.pid
    handle = own_bench.submit(server.url, request={"check": endless})
    own_bench.until(lambda: bool(server.requests))
    handle.stop()
    with pytest.raises(GeneratorError, match=r"said nothing for 1\.5 s; a function"):
        own_bench.until(lambda: False)
    assert handle.finished
    assert handle.stop_reason == "generator ended"
    wait_until_gone(pid)


@pytest.mark.usefixtures("impatient")
def test_a_caller_that_did_not_listen_for_long_is_no_silence(
    own_bench: Bench, answering: Answering
) -> None:
    handle = own_bench.submit(answering().url, VirtualUsers(users=1, duration_seconds=60))
    handle.stop()
    sleep(1.6)
    own_bench.wait(handle)
    assert handle.stop_reason == "stopped"


PARENT = """
import sys, time
from qa_runner.clock import Clock
from qa_runner.load.plan import LoadPlan, RequestTemplate, Sequential
from qa_runner.load.process import GeneratorProcess
from qa_runner.load.reference import Reference
url, folder = sys.argv[1:]
check = Reference(folder=folder, module="endless", name="check")
generator = GeneratorProcess(Clock())
generator.start()
request = RequestTemplate(method="GET", url=url, check=check)
plan = LoadPlan(number=1, shape=Sequential(requests=1), request=request, tag="t")
generator.submit(plan, part="1", role="main")
print(generator.pid, flush=True)
time.sleep(60)
"""


def test_a_function_that_never_returns_does_not_outlive_the_parent(
    answering: Answering, endless: Reference, bench: Bench
) -> None:
    server = answering()
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, server.url, endless.folder], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        generator = int(parent.stdout.readline())
        bench.until(lambda: bool(server.requests))
        parent.kill()
        parent.wait()
        wait_until_gone(generator)
