"""A target of qa-runner.toml: what it becomes, and one line for what is not usable."""

from __future__ import annotations

import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from qa_runner.configuration.schema import ProcessEntry, ProjectEntry, ServerEntry, TargetEntry
from qa_runner.errors import TargetError, UsageError
from qa_runner.monitors.process_rule import ProcessRule
from qa_runner.targets.choose import check_target, open_target, starts_server
from qa_runner.targets.target import Target

SITE = str(Path(__file__).with_name("small_site.py"))


def opened(entry: TargetEntry, folder: Path = Path("/nowhere")) -> AbstractContextManager[Target]:
    return open_target("shop", entry.url, (), folder, entry=entry)


@pytest.fixture
def url() -> Iterator[str]:
    """Where something listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://localhost:{server.getsockname()[1]}/shop/"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def is_site(process: psutil.Process) -> bool:
    return SITE in process.cmdline()


def test_it_has_what_the_configuration_says(url: str, tmp_path: Path) -> None:
    entry = TargetEntry(
        url=url,
        environment="staging",
        headers={"X-Gateway": "key-1"},
        bearer_token="token-1",  # noqa: S106 (of nobody)
        log=tmp_path / "shop.log",
        process=ProcessEntry(pid_file=tmp_path / "shop.pid"),
        project=ProjectEntry(
            folder=tmp_path,
            settings="shop.settings",
            environment={"DEBUG": "0"},
            models={"users": "people.Member"},
            intent_field="reference",
        ),
    )
    with opened(entry) as target:
        assert target.name == "shop"
        assert target.url == url.rstrip("/")
        assert (target.host, target.environment) == ("127.0.0.1", "staging")
        assert target.headers == (("X-Gateway", "key-1"), ("Authorization", "Bearer token-1"))
        assert target.log_path == tmp_path / "shop.log"
        assert target.process == ProcessRule(pid_file=tmp_path / "shop.pid")
        assert target.verify_tls
        assert target.project is not None
        assert target.project.interpreter == sys.executable
        assert target.project.python_path == (str(tmp_path),)
        assert target.project.environment == {"DEBUG": "0"}
        assert target.project.models == {"users": "people.Member"}
        assert target.project.intent_field == "reference"
        # Neither a log nor a traceback shall show them.
        assert "key-1" not in repr(target)
        assert "token-1" not in repr(target)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of which the commit is asked for; it is always the same."""
    asked: list[Path] = []
    monkeypatch.setattr(
        "qa_runner.targets.configured.commit_of",
        lambda folder: asked.append(folder) or "0123456789ab",
    )
    return asked


def test_its_version_is_that_of_the_configuration_or_the_commit_of_its_project(
    url: str, tmp_path: Path, commits: list[Path]
) -> None:
    project = ProjectEntry(folder=tmp_path, settings="shop.settings")
    with opened(TargetEntry(url=url, project=project)) as target:
        assert target.facts["version"] == "0123456789ab"
    assert commits == [tmp_path]
    with opened(TargetEntry(url=url, project=project, version="1.4.2")) as target:
        assert target.facts["version"] == "1.4.2"
    with opened(TargetEntry(url=url)) as target:
        assert "version" not in target.facts
    assert commits == [tmp_path]


def test_the_commit_here_says_nothing_of_a_server_elsewhere(
    url: str, tmp_path: Path, commits: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa_runner.targets.configured.is_here", lambda _address: False)
    project = ProjectEntry(folder=tmp_path, settings="shop.settings")
    with opened(TargetEntry(url=url, project=project)) as target:
        assert "version" not in target.facts
    assert commits == []


def test_the_projects_own_interpreter_is_taken(url: str, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    own = tmp_path / ".venv" / "bin" / "python"
    own.symlink_to(sys.executable)
    project = ProjectEntry(folder=tmp_path, settings="shop.settings")
    with opened(TargetEntry(url=url, project=project)) as target:
        assert target.project is not None
        assert target.project.interpreter == str(own)
    project = ProjectEntry(
        folder=tmp_path, settings="shop.settings", interpreter=Path("/opt/python")
    )
    with opened(TargetEntry(url=url, project=project)) as target:
        assert target.project is not None
        assert target.project.interpreter == "/opt/python"


def test_its_server_is_started_and_ended(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "run").mkdir()
    entry = TargetEntry(
        url=f"http://127.0.0.1:{port}",
        project=ProjectEntry(
            folder=tmp_path, settings="shop.settings", environment={"SITE_MODE": "probe"}
        ),
        server=ServerEntry(
            command=shlex.join([sys.executable, SITE, str(port)]),
            environment={"SITE_GREETING": "hi", "SITE_MODE": "server"},
            ready_path="late",
        ),
    )
    assert starts_server("shop", entry)
    with opened(entry, tmp_path / "run") as target:
        assert target.log_path == tmp_path / "run" / "server.log"
        assert target.facts["server"] == (
            f"started by the run: {Path(sys.executable).name} small_site.py {port}"
        )
        assert '"GET /late HTTP/1.1" 200' in target.log_path.read_text("utf-8")
        # The probe sees the database that the server sees.
        assert target.project is not None
        assert target.project.environment == {"SITE_GREETING": "hi", "SITE_MODE": "probe"}
        assert target.ended() == ""
        server = next(one for one in psutil.Process().children(recursive=True) if is_site(one))
        server.kill()
        deadline = time.monotonic() + 20
        while not target.ended() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "that the run started was ended by SIGKILL; its last lines: " in target.ended()
    with closing(socket.create_server(("127.0.0.1", port))):
        pass


def test_a_server_that_writes_a_log_of_its_own_has_that_followed(tmp_path: Path) -> None:
    port = free_port()
    entry = TargetEntry(
        url=f"http://127.0.0.1:{port}",
        log=tmp_path / "own.log",
        server=ServerEntry(
            command=shlex.join([sys.executable, SITE, str(port)]), log=tmp_path / "output.log"
        ),
    )
    with opened(entry) as target:
        assert target.log_path == tmp_path / "own.log"
    assert (tmp_path / "output.log").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"headers": {"X-Key": "topsecret→"}}, "header X-Key .* HTTP can't carry"),
        ({"bearer_token": "topsecret→"}, "header Authorization .* HTTP can't carry"),
        ({"server": ServerEntry(command="make dev &")}, "run without a shell"),
        (
            {
                "paths": {"/a/": "/b/"},
                "server": ServerEntry(command="topsecret", ready_path="/b/"),
            },
            "is the endpoint under test",
        ),
    ],
)
def test_entries_that_are_not_usable(url: str, options: dict[str, Any], message: str) -> None:
    entry = TargetEntry(**{"url": url, **options})
    with pytest.raises(UsageError, match=message) as caught:
        check_target("shop", (), entry)
    assert "\n" not in str(caught.value)
    assert "topsecret" not in str(caught.value)


def test_a_server_is_started_on_this_machine_only() -> None:
    entry = TargetEntry(url="http://192.0.2.1:8000", server=ServerEntry(command="true"))
    permitted = open_target("shop", entry.url, (), Path(), entry=entry, permit=lambda *_: None)
    with (
        pytest.raises(UsageError, match="on this machine, and the target's URL is of another"),
        permitted,
    ):
        raise AssertionError("it was opened")


def test_who_may_be_tested_is_asked_before_anything_is_sent() -> None:
    with (
        pytest.raises(UsageError, match="is not this machine"),
        opened(TargetEntry(url="http://192.0.2.1:8000")),
    ):
        raise AssertionError("it was opened")


def test_nobody_listens() -> None:
    with (
        pytest.raises(TargetError, match="refused the connection: is the server running"),
        opened(TargetEntry(url=f"http://127.0.0.1:{free_port()}")),
    ):
        raise AssertionError("it was opened")
