"""What a session watches of a target, by what the configuration says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from monitors_site import MODELS, Site
from test_monitors_process import Server, Start, free_port

from qa_runner import discovery
from qa_runner.clock import Clock
from qa_runner.configure import configure
from qa_runner.monitors.process_rule import ProcessRule
from qa_runner.session import Session
from qa_runner.stop import StopToken
from qa_runner.table import Table
from qa_runner.targets.target import Target

LOCAL = Target(name="shop", url="http://127.0.0.1", environment="local", host="127.0.0.1", port=0)


def ignore(name: str, rows: Table) -> None:
    """A sink that keeps nothing."""


@contextmanager
def watching(target: Target) -> Iterator[Session]:
    case = configure(discovery.find("PURCHASE-006"), profile="full", steps=(), settings=())
    session = Session(case, number=1, run_tag="qatest", stop=StopToken(), clock=Clock())
    with session, session.watching(target, ignore):
        yield session


def test_the_projects_models_outrank_those_of_the_case(
    site: Site, started: Start, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    log.write_text("")
    server = Server(started)
    project = replace(site.project(), models={**MODELS}, intent_field="payment_ref")
    target = replace(
        LOCAL,
        port=free_port(),
        log_path=log,
        project=project,
        process=ProcessRule(pid=server.process.pid),
    )
    with watching(target) as session:
        assert session.database is not None, session.database_reason
        site.add_purchase("jane@example.org", "pi_1")
        assert session.database.read_now().transactions_added == 1
        rows = session.monitors["server"].rows()
        assert rows.text("pids")[0] == str(server.process.pid)
        with log.open("a") as file:
            file.write("ERROR: odd\n")
        session.monitors["log"].sample_now()
        assert session.monitors["log"].rows().text("text") == ["ERROR: odd"]


def test_models_of_the_case_that_the_project_does_not_have_are_told(site: Site) -> None:
    with watching(replace(LOCAL, port=free_port(), project=site.project())) as session:
        assert session.database is None
        assert "finances.PurchaseTransaction" in session.database_reason


def test_what_is_not_known_has_its_remedy() -> None:
    with watching(replace(LOCAL, port=free_port())) as session:
        assert "log" not in session.monitors
        assert "[targets.shop.project] with folder and settings" in session.database_reason
        assert "no process listens on port" in session.monitors["server"].reason
        assert session.monitors["system"].notes() == []


def test_a_server_on_another_machine_is_not_measured_here(started: Start) -> None:
    server = Server(started)
    with watching(replace(LOCAL, host="192.0.2.1", port=server.port)) as session:
        monitor = session.monitors["server"]
        assert "runs on another machine (192.0.2.1)" in monitor.reason
        assert any("another (192.0.2.1)" in note for note in session.monitors["system"].notes())
