"""Finding and reading qa-runner.toml; what is wrong with it in one line, with the line."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner.configuration.reading import load_configuration, parse_configuration
from qa_runner.configuration.schema import Configuration
from qa_runner.configuration.source import source_of
from qa_runner.errors import UsageError

WHOLE = """\
default_target = "shop"
output = "runs"

[targets.shop]
url = "http://127.0.0.1:8000"
environment = "test bed"
paths = { "/finances/api/purchase/initiate/" = "/api/v2/purchase/" }
headers = { "X-Api-Key" = "${SHOP_KEY}" }
verify_tls = false
log = "logs/server.log"
process.port = 8001

[targets.shop.project]
folder = "shop"
settings = "shop.settings"
interpreter = "venv/bin/python"
environment = { DEBUG = "" }
models.transactions = "billing.Purchase"

[targets.shop.server]
command = "python manage.py runserver"
ready_seconds = 5

[environments."test bed"]
hosts = ["test.example", "::1"]
max_users = 10
error_budget = { rate = 0.5 }

[cases.PURCHASE-006.parameters]
3.1.requests = 8
"3.1.limit.duration" = "10s"
"3.4.stairs" = [1, 2]
"""


def said(folder: Path, text: str | bytes) -> str:
    """The one line with which reading ``text`` fails."""
    data = text.encode() if isinstance(text, str) else text
    (folder / "qa-runner.toml").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_configuration(None, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_as_typed_values(folder: Path) -> None:
    (folder / "qa-runner.toml").write_text(WHOLE)
    read = load_configuration(None, folder)
    shop = read.targets["shop"]
    assert read.output == folder / "runs"
    assert shop.headers == {"X-Api-Key": "${SHOP_KEY}"}  # filled in only when it is used
    assert shop.process.port == 8001
    assert shop.project is not None
    assert shop.project.interpreter == folder / "venv" / "bin" / "python"
    assert shop.project.models == {"transactions": "billing.Purchase"}
    assert shop.server is not None
    assert shop.server.ready_seconds == 5.0
    assert read.environments["test bed"].hosts == ("test.example", "::1")
    assert read.environments["test bed"].error_budget is not None
    assert read.environments["test bed"].error_budget.requests == 20
    assert read.cases["PURCHASE-006"].parameters == {
        "3.1.requests": 8,
        "3.1.limit.duration": "10s",
        "3.4.stairs": "1,2",
    }


def test_it_is_found_upwards_and_paths_are_relative_to_it(folder: Path) -> None:
    (folder / "qa-runner.toml").write_text('output = "runs"\n')
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    assert load_configuration(None, below).output == folder / "runs"
    (folder / "a" / "qa-runner.toml").write_text('output = "../elsewhere"\n')
    assert load_configuration(None, below).output == folder / "elsewhere"


def test_what_belongs_to_no_target_may_name_variables_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "qa-runner.toml").write_text('output = "${RUNS_HERE}/runs"\n')
    monkeypatch.setenv("RUNS_HERE", "/somewhere")
    assert load_configuration(None, folder).output == Path("/somewhere/runs")
    monkeypatch.delenv("RUNS_HERE")
    with pytest.raises(UsageError, match=r"toml:1: output: .*RUNS_HERE is not set"):
        load_configuration(None, folder)


def test_without_a_file_there_is_an_empty_one(folder: Path) -> None:
    read = load_configuration(None, folder)
    assert read == Configuration()
    assert read.default_target == "demo"


def test_a_named_file_is_taken_and_must_be_there(folder: Path) -> None:
    (folder / "qa-runner.toml").write_text("nonsense")
    other = folder / "other.toml"
    other.write_text("[targets.a]\nurl = 'http://localhost'\n")
    assert list(load_configuration(other, folder).targets) == ["a"]
    with pytest.raises(UsageError, match=r"cannot read .*missing\.toml: No such file"):
        load_configuration(folder / "missing.toml", folder)
    with pytest.raises(UsageError, match=r"cannot read .*: Is a directory"):
        load_configuration(folder, folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_somebody_else_is_not_found_but_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "qa-runner.toml"
    path.write_text("")
    os.chown(path, 54321, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UsageError, match="belongs to another user"):
        load_configuration(None, folder)
    assert load_configuration(path, folder) == load_configuration(path, folder)


def test_links_of_a_virtual_environment_are_not_followed(folder: Path) -> None:
    (folder / "link").symlink_to("venv")
    (folder / "qa-runner.toml").write_text(
        "[targets.a]\nurl = 'http://localhost'\n"
        "project = { folder = '.', settings = 'a', interpreter = 'link/bin/../bin/python' }\n"
    )
    project = load_configuration(None, folder).targets["a"].project
    assert project is not None
    assert project.interpreter == folder / "link" / "bin" / "python"


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        ('output = "runs', 1, "no valid TOML: "),
        ("output = 'a'\noutput = 'b'", 2, "no valid TOML: Cannot overwrite"),
        ("\n\n[targets", 3, "no valid TOML: "),
        (b"# \n# \xff\n", 2, "is not UTF-8; save the file as UTF-8"),
        ("x = 1", 1, "x: unknown key. Valid: default_target, output, targets"),
        (
            "[targets.shop]\nurl = 'http://a'\n\ntimeout = 3",
            4,
            "targets.shop.timeout: unknown key. Valid: url, environment, paths",
        ),
        ("[targets.shop]\nurl = 'http://a'\nloog = 'x'", 3, "Did you mean log?"),
        ("[targets.shop]\nlog = 'x'", 1, "targets.shop: the key url is missing"),
        ("[targets]\nshop = 'http://a'", 2, "targets.shop: must be a table, not text"),
        ("targets = 3", 1, "targets: must be a table, not a number"),
        ("[[targets]]\nurl = 'x'", 1, "targets: must be a table, not a list"),
        ("[targets.a]\nurl = 3", 2, "targets.a.url: must be text in quotes, not a number"),
        ("[targets.a]\nurl = 'a b'", 2, "targets.a.url: contains spaces"),
        ("[targets.a]\nurl = 'ftp://a'", 2, "must begin with http:// or https://"),
        ("[targets.a]\nurl = 'http://'", 2, "names no host"),
        ("[targets.a]\nurl = 'http://a:99999'", 2, "is not valid"),
        ("[targets.a]\nurl = 'http://a:0'", 2, "names port 0"),
        ("[targets.a]\nurl = 'http://a?b'", 2, "must not contain ? or #"),
        ("[targets.a]\nurl = 'http://a'\nverify_tls = 'no'", 3, "must be true or false, not text"),
        ("[targets.a]\nurl = 'http://a'\nlog = ''", 3, "is an empty path"),
        ("[targets.a]\nurl = 'http://a'\nlog = 1979-05-27", 3, "a path in quotes, not a date"),
        (
            "[targets.a]\nurl = 'http://a'\npaths = {\"a\" = '/b'}",
            3,
            "targets.a.paths.a: paths begin with one /; the host stands in url",
        ),
        (
            "[targets.a]\nurl = 'http://a'\npaths = {\"/a\" = 'http://b'}",
            3,
            'targets.a.paths."/a": paths begin with one /',
        ),
        ("[targets.a]\nurl = 'http://a'\nheaders = {\"X Y\" = 'b'}", 3, "is no name of a header"),
        ('[targets.a]\nurl = "http://a"\nheaders.X = "a\\nb"', 3, "contains a line break"),
        (
            "[targets.a]\nurl = 'http://a'\nheaders.AUTHORIZATION = 'x'\nbearer_token = 'y'",
            4,
            "targets.a.bearer_token: excludes the header Authorization; keep one",
        ),
        (
            "[targets.a]\nurl = 'http://a'\nenvironment = 'stagin'",
            3,
            "unknown environment. Did you mean staging? Valid: local, staging, production",
        ),
        ("[targets.a]\nurl = 'http://a'\nprocess.port = 70000", 3, "at most 65535"),
        ("[targets.a]\nurl = 'http://a'\nprocess.port = 0", 3, "must be above 0"),
        ("[targets.a]\nurl = 'http://a'\nprocess.port = '80'", 3, "a whole number, not text"),
        ("[targets.a]\nurl = 'http://a'\nprocess.port = 80.0", 3, "not a number with a point"),
        (
            "[targets.a]\nurl = 'http://a'\n[targets.a.process]\nport = 1\n\npid = 2",
            6,
            "targets.a.process.pid: excludes process.port; keep one of them",
        ),
        (
            "[targets.a]\nurl = 'http://a'\nproject = {folder = '.', settings = 'a-b.py'}",
            3,
            "targets.a.project.settings: is no module",
        ),
        (
            "[targets.a]\nurl = 'http://a'\nproject = {folder = '.'}",
            3,
            "targets.a.project: the key settings is missing",
        ),
        (
            "[targets.a]\nurl='http://a'\nproject={folder='.', settings='a', models.users='User'}",
            3,
            'targets.a.project.models.users: must be app and model: "billing.Purchase"',
        ),
        ("[targets.a]\nurl='http://a'\nserver.command = ' '", 3, "server.command: is empty"),
        (
            "[targets.a]\nurl='http://a'\nserver = {command = 'x', ready_seconds = -1}",
            3,
            "targets.a.server.ready_seconds: must be above 0",
        ),
        (
            "[targets.a]\nurl='http://a'\nserver = {command = 'x', stop_seconds = inf}",
            3,
            "must be a finite number",
        ),
        (
            "[targets.a]\nurl='http://a'\nserver = {command = 'x', environment = {'A-B' = ''}}",
            3,
            "is no name of an environment variable",
        ),
        (
            "[targets.a]\nurl='http://a'\nserver.command = 'x'\nprocess.pid = 3",
            4,
            "process.pid: cannot be known of a server that the run starts itself",
        ),
        (
            "[targets.demo]\nurl = 'http://a'",
            1,
            "targets.demo: 'demo' is the embedded target; choose another name",
        ),
        ("[targets.url]\nurl = 'http://a'", 1, "'url' cannot name a target"),
        (
            "default_target = 'shpo'\n[targets.shop]\nurl = 'http://a'",
            1,
            "default_target: unknown target. Did you mean shop? Valid: demo, shop",
        ),
        ("[environments.a]\nhosts = ['b', 'https://c']", 2, "environments.a.hosts.1: must be a"),
        ("[environments.a]\nhosts = ['b:80']", 2, "must be a host name alone"),
        ("[environments.a]\nhosts = 'b'", 2, "must be a list, not text"),
        ("[targets.a]\nurl = 'http://a'\nlog = '~nobody-here/x'", 3, "names no user's home"),
        ("[targets.a]\nurl = 'http://a'\nprocess.pid = 9999999999", 3, "at most 2147483647"),
        ("[environments.a]\nmax_rate = 1" + "0" * 400, 2, "must be a finite number"),
        ("[environments.a]\nmax_users = 1" + "0" * 5000, 2, "no valid TOML: "),
        ("[environments.a]\nmax_users = 0", 2, "must be above 0"),
        ("[environments.a]\nerror_budget = {rate = 10}", 2, "rate: must be from 0 to 1"),
        ("[environments.a]\nerror_budget = {seconds = 0}", 2, "seconds: must be above 0"),
        ("[cases.A]\nparameters = {requests = 3}", 2, "must name its part"),
        ("[cases.A.parameters]\n3.1.word = true", 2, "must be a whole number or a number or text"),
        (
            "[cases.A.parameters]\n3.1.word = 'a'\n\"3.1.word\" = 'b'",
            3,
            "is given twice",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_line(
    folder: Path, text: str | bytes, line: int, wanted: str
) -> None:
    message = said(folder, text)
    assert message.startswith(f"qa-runner.toml:{line}: ")
    assert wanted in message


def test_a_value_that_may_be_a_secret_is_never_repeated(folder: Path) -> None:
    for text in (
        "[targets.a]\nurl = 'http://user:hunter2@a'",
        "[targets.a]\nurl = 'http://user:hunter2/x@a'",
        "[targets.a]\nurl = 'http://a'\nbearer_token = ['hunter2']",
        '[targets.a]\nurl = "http://a"\nbearer_token = "hunter2\\n"',
    ):
        assert "hunter2" not in said(folder, text)


def test_a_deeply_nested_file_is_refused(folder: Path) -> None:
    assert "qa-runner.toml:" in said(folder, "x = " + "[" * 5000 + "]" * 5000)


@given(st.binary(max_size=60))
def test_whatever_the_bytes_are_there_is_a_value_or_one_line(data: bytes) -> None:
    with suppress(UsageError):
        parse_configuration(data, Path("qa-runner.toml"))


@given(st.data())
def test_whatever_is_changed_there_is_a_value_or_one_line(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(begin, min(begin + 12, len(WHOLE))))
    other = data.draw(st.text("[]{}=\"'.#\n\\a1- ,", max_size=6))
    text = WHOLE[:begin] + other + WHOLE[end:]
    message = "qa-runner.toml:1: "
    try:
        parse_configuration(text.encode(), Path("qa-runner.toml"))
    except UsageError as error:
        message = str(error)
    assert re.fullmatch(r"qa-runner\.toml:\d+: [^\n]*", message)


def test_a_file_elsewhere_is_named_in_full(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "qa-runner.toml").write_text("x = 1")
    monkeypatch.chdir(tmp_path_factory.mktemp("other"))
    with pytest.raises(UsageError) as caught:
        load_configuration(folder / "qa-runner.toml", Path.cwd())
    assert str(caught.value).startswith(f"{folder}/qa-runner.toml:1: x: ")


def test_a_configuration_made_in_a_program_has_no_lines() -> None:
    error = source_of(Configuration()).error(("targets", "a"), "is wrong")
    assert str(error).endswith("targets.a: is wrong")
