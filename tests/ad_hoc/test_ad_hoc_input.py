"""What is off is said in one line, before anything is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from ad_hoc_bench import invoke
from answering_site import AnsweringSite

URL = "http://127.0.0.1:8000/"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("127.0.0.1:8000/x",), "must begin with http:// or https://"),
        (("/health/",), "must begin with http:// or https://"),
        (("http:///x",), "names no host"),
        (("http://127.0.0.1:99999/",), "is not valid"),
        (("http://me:hunter2@127.0.0.1/",), "must not contain user or password"),
        (("http://{i}.localhost/",), "must not vary"),
        (("http://8.8.8.8/",), "is not this machine; list it in qa-runner.toml"),
        ((URL, "--method", "FETCH"), "unknown method 'FETCH'. Did you mean PATCH? Valid: GET"),
        ((URL, "-n", "5", "--duration", "1s"), "--requests and --duration exclude each other"),
        ((URL, "--users", "0"), "--users must be at least 1, not 0"),
        ((URL, "--requests", "-1"), "--requests must be at least 1, not -1"),
        ((URL, "--duration", "soon"), "--duration 'soon' is no duration"),
        ((URL, "--duration", "0"), "--duration must be more than 0 s"),
        ((URL, "--timeout", "0s"), "--timeout must be more than 0 s"),
        ((URL, "--think-time", "-1"), "--think-time '-1' is no duration"),
        ((URL, "--rate", "0"), "--rate must be above 0"),
        ((URL, "--rate", "nan"), "--rate must be above 0"),
        ((URL, "--rate", "0.1", "--duration", "1s"), "not one request"),
        ((URL, "--rate", "5", "--ramp-up", "1s"), "--ramp-up is of virtual users"),
        ((URL, "--body", "@no-such-file"), "--body @no-such-file: No such file or directory"),
        ((URL, "--body", "@"), "names no file"),
        ((URL, "--header", "hunter2"), "--header number 1 is not of the form 'Name: value'"),
        ((URL, "--header", "A b: hunter2"), "no name of a header"),
        ((URL, "--header", "Content-Length: 5"), "set by the load generator itself"),
        ((URL, "--header", "Authorization: x", "--auth-token", "hunter2"), "exclude each other"),
        ((URL, "--auth-token", "hunter2\n"), "line break"),
        ((URL, "--status", "99"), "--status 99 is not between 200 and 599"),
        ((URL, "--expect", "fast"), "the form is 'metric [aggregate] operator limit'"),
        ((URL, "--expect", "respons_time p(95) < 1 s"), "Did you mean response_time?"),
        # Known, but not of the requests: there is no monitor beside this load.
        ((URL, "--expect", "server_cpu p(95) < 50 %"), "unknown metric 'server_cpu'"),
        ((URL, "--expect", "response_time < 1 s"), "no aggregate for response_time"),
        ((URL, "--expect", "throughput > 5"), "needs a unit"),
        ((URL, "--expect", "response_time{users:5} p(95) < 1 s"), "leave {users:5} out"),
        ((URL, "--report", "no-such-folder/page.html"), "there is no folder no-such-folder"),
        ((URL, "--report", "."), "is a folder"),
        ((URL, "--report", "/dev/null"), "is a device or a pipe"),
        ((URL, "--requests", "20000001"), "20,000,001 requests are too many"),
        ((URL, "--rate", "1e9"), "10,000,000,000 requests are too many"),
        (("http://me:hunter2@127.0.0.1:x/?token=hunter2",), "is not valid"),
        (("me:hunter2@127.0.0.1",), "must begin with http:// or https://"),
    ],
)
def test_one_line_and_exit_code_2(arguments: tuple[str, ...], words: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "hunter2" not in done.output
    assert not done.stdout


def test_a_body_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\xff\xfe\x00")
    done = invoke(URL, "--body", f"@{tmp_path / 'body'}")
    assert done.exit_code == 2
    assert "not text in UTF-8" in done.stderr


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = invoke(f"http://127.0.0.1:{port}/")
    assert done.exit_code == 4
    assert done.stderr.strip() == (
        f"Error: 127.0.0.1:{port} refused the connection: is the server running?"
    )
    assert not done.stdout


def test_no_such_host() -> None:
    done = invoke("http://no-such-host.invalid/")
    assert done.exit_code == 4
    assert "cannot resolve no-such-host.invalid" in done.stderr


def test_https_where_http_is_spoken(site: Callable[..., AnsweringSite]) -> None:
    server = site()
    done = invoke(server.url.replace("http://", "https://"))
    assert done.exit_code == 4
    assert "no TLS with 127.0.0.1" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_help_explains_defaults_columns_and_exit_codes() -> None:
    text = invoke("--help").output
    for words in ("10 unless given", "200 unless", "most requests in flight", "130 interrupted"):
        assert words in " ".join(text.split())
    for words in ("time_to_first_byte", "QA_RUNNER_AUTH_TOKEN", "{uuid}", "connect_time"):
        assert words in text
