"""For every criterion of PURCHASE-006 there is a fault that fails it.

Each row of the table runs the real command against the live target with its faults switched on:
required ⊆ failed ⊆ allowed, and the report names the cause. The same parts pass without a fault.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest
from fault_table import BY_DESIGN, CAUSES, ROWS, SETTINGS, Row, arguments
from running import Cli, Outcome, criteria

from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.registry import diagnose
from qa_runner.report.source import Source
from qa_runner.store import RunReader
from qa_runner.targets.embedded import EmbeddedTarget
from qa_runner.targets.faults import FAULTS

PARTS = tuple(sorted({part for row in ROWS for part in row.parts}))
SATURATED = "the load generator was saturated"


def undisturbed(cli: Cli, *words: str) -> Outcome:
    """A run, made again where the machine was too busy to send what was intended."""
    for _ in range(2):
        done = cli(*words)
        if SATURATED not in done.stdout:
            return done
    return cli(*words)


def test_every_criterion_has_a_fault_and_every_fault_a_criterion(cli: Cli) -> None:
    done = cli("show", "PURCHASE-006", "--json")
    known = set(ids(done.run))
    assert len(known) > 50
    table = {criterion for row in ROWS for criterion in row.required}
    assert table | set(BY_DESIGN) == known
    assert not table & set(BY_DESIGN)
    assert {fault for row in ROWS for fault in row.faults} == set(FAULTS)
    assert set(CAUSES) == set(FAULTS)


def ids(data: object) -> Iterator[str]:
    """The ids of all criteria in what ``show --json`` says."""
    if isinstance(data, dict):
        if "expression" in data:
            yield data["id"]
        for value in data.values():
            yield from ids(value)
    elif isinstance(data, list):
        for value in data:
            yield from ids(value)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "+".join(row.faults) + ":" + row.parts[0])
def test_a_fault_fails_what_is_there_to_find_it(
    row: Row, cli: Cli, tmp_path: Path, no_orphans: None
) -> None:
    faults = [word for name in row.faults for word in ("--fault", name)]
    done = undisturbed(cli, *row.arguments(), *faults)
    assert done.code == 1, done.stderr
    run = done.run
    assert run["verdict"] == "FAIL"
    assert run["target"]["faults"] == list(row.faults)
    # What ran first as a prerequisite is not judged.
    selected = {step["number"] for step in run["steps"] if step["selected"]}
    found = {
        k: c for k, c in criteria(run).items() if int(k.split(".")[0].split("-")[0]) in selected
    }
    failed = {name: c for name, c in found.items() if c["verdict"] == "FAIL"}
    assert row.required <= failed.keys(), {n: found[n] for n in row.required - failed.keys()}
    assert failed.keys() <= row.required | set(row.also), failed
    others = {n: c for n, c in found.items() if c["verdict"] not in ("FAIL", "PASS", "SKIPPED")}
    assert others.keys() <= set(row.unmeasured), others
    told = causes(tmp_path, run["run_id"])
    wrong = {
        (fault, name, told[name])
        for fault, names in row.fails.items()
        for name in names
        if told[name] not in CAUSES[fault]
    }
    assert not wrong


def causes(folder: Path, run_id: str) -> dict[str, str]:
    """By criterion of a run the rule that explains it best."""
    (run,) = folder.glob(f"artifacts/*/{run_id}")
    best: dict[str, tuple[float, str]] = {}
    for finding in diagnose(Evidence(Source(RunReader(run)))):
        for name, share in finding.explains.items():
            if share > best.get(name, (0.0, ""))[0]:
                best[name] = share, finding.rule
    return {name: rule for name, (_, rule) in best.items()}


def test_the_same_parts_pass_without_a_fault(cli: Cli, no_orphans: None) -> None:
    done = undisturbed(cli, *arguments(PARTS))
    found = criteria(done.run)
    assert not {k: c for k, c in found.items() if c["verdict"] not in ("PASS", "SKIPPED")}
    assert done.code == 0
    passed = {name for name, c in found.items() if c["verdict"] == "PASS"}
    assert {name for row in ROWS for name in row.required} <= passed
    assert set(SETTINGS) <= set(PARTS)


FORWARD = """
import socket, sys, threading

def pour(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)

def serve(client):
    with client, socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
        back = threading.Thread(target=pour, args=(server, client))
        back.start()
        pour(client, server)
        back.join()

def end():
    sys.stdin.read()
    import os
    os._exit(0)

threading.Thread(target=end, daemon=True).start()
with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
    print(listening.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=serve, args=(listening.accept()[0],)).start()
"""


@pytest.fixture
def forwarded(tmp_path: Path) -> Iterator[str]:
    """The URL of an API behind a forwarder, as in a container: its own process is out of sight."""
    folder = tmp_path / "target"
    folder.mkdir()
    # The name by which the forwarder of a container's port is known.
    program = tmp_path / "docker-proxy"
    program.symlink_to(Path(sys.executable).resolve())
    with EmbeddedTarget(folder) as target:
        command = [str(program), "-I", "-c", FORWARD, str(target.port)]
        with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
            process.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="a symbolic link renames no process here")
def test_what_cannot_be_seen_is_inconclusive(forwarded: str, cli: Cli, no_orphans: None) -> None:
    done = cli(*arguments(("1.1", "6.2")), "--target", forwarded, "--set", "6.2.watch=2")
    found = criteria(done.run)
    assert {name for name, c in found.items() if c["verdict"] == "INCONCLUSIVE"} >= set(BY_DESIGN)
    assert not {name for name, c in found.items() if c["verdict"] in ("PASS", "FAIL", "ERROR")}
    assert all(found[name]["reason"] for name in BY_DESIGN)
    assert done.code != 0
