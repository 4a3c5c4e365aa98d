"""qa-runner init: with projects on disk and servers that really listen."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from configuration_bench import Cli

from qa_runner.configuration.reading import load_configuration
from qa_runner.configuration.schema import TargetEntry
from qa_runner.configuration.source import source_of
from qa_runner.configuration.target import target_entry
from qa_runner.errors import UsageError

# Serves what it is asked for in one thread; its log is open while it runs.
MANAGE = """\
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{name}.settings")

if __name__ == "__main__":
    log = open("logs/server.log", "a")
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    print(server.server_port, flush=True)
    server.serve_forever()
"""
MODELS = """\
from django.db import models

class Base(models.Model):
    class Meta:
        abstract = True

class PurchaseLine(Base): pass
class PaymentTransaction(Base): pass
class StudentBalance(models.Model): pass
class Balances: pass
"""


@pytest.fixture(autouse=True)
def _shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(folder: Path) -> Path:
    """A project in its folder, with a virtual environment beside its manage.py."""
    return make_project(folder / "shop")


def make_project(place: Path, package: str = "") -> Path:
    for name in ("billing", ".venv/bin", "logs"):
        (place / name).mkdir(parents=True)
    (place / "manage.py").write_text(MANAGE.format(name=package or place.name))
    (place / "billing" / "models.py").write_text(MODELS)
    make_environment(place / ".venv")
    return place


def make_environment(place: Path) -> Path:
    (place / "bin").mkdir(parents=True, exist_ok=True)
    (place / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    (place / "bin" / "python").symlink_to(sys.executable)
    return place / "bin" / "python"


@contextmanager
def serving(project: Path, *arguments: str, python: str = sys.executable) -> Iterator[int]:
    """A server of the project; its port."""
    with subprocess.Popen(
        [python, "manage.py", "runserver", *arguments], cwd=project, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def written(folder: Path) -> TargetEntry:
    """The target of the file that init wrote, as a run would use it."""
    configuration = load_configuration(folder / "qa-runner.toml", folder)
    return target_entry(configuration, configuration.default_target)


def test_a_project_one_level_below_is_found(folder: Path, project: Path, cli: Cli) -> None:
    result = cli("init")
    assert result.exit_code == 0, result.output
    entry = written(folder)
    assert entry.project is not None
    assert entry.project.folder == project
    assert entry.project.settings == "shop.settings"
    assert entry.project.interpreter == project / ".venv" / "bin" / "python"
    assert entry.environment == "local"
    text = (folder / "qa-runner.toml").read_text()
    assert 'folder = "shop"' in text
    assert str(folder) not in text
    assert "wrote qa-runner.toml, with the target shop" in result.output
    assert re.search(r"settings +found +shop\.settings \(manage\.py\)", result.output)
    assert re.search(r"url +guessed +http://127\.0\.0\.1:8000 \(no server of", result.output)
    assert "next: look through the file, then qa-runner check" in result.output


def test_a_project_above_is_found(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    below = project / "qa" / "load"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cli("init").exit_code == 0
    entry = written(below)
    assert entry.project is not None
    assert entry.project.folder == project
    assert 'folder = "../.."' in (below / "qa-runner.toml").read_text()


def test_of_several_projects_one_must_be_chosen(folder: Path, project: Path, cli: Cli) -> None:
    make_project(folder / "billing")
    result = cli("init")
    assert result.exit_code == 2
    assert "several Django projects below" in result.stderr
    assert "billing, shop; choose one with --project" in result.stderr
    assert not (folder / "qa-runner.toml").exists()
    assert cli("init", "--project", "billing/manage.py").exit_code == 0
    entry = written(folder)
    assert entry.project is not None
    assert entry.project.settings == "billing.settings"


def test_a_running_server_gives_its_address_settings_interpreter_and_log(
    folder: Path, project: Path, cli: Cli
) -> None:
    other = make_environment(folder / "elsewhere")
    with serving(project, "--settings", "shop.live", python=str(other)) as port:
        result = cli("init")
    entry = written(folder)
    assert entry.url == f"http://127.0.0.1:{port}"
    assert entry.log == project / "logs" / "server.log"
    assert entry.project is not None
    assert entry.project.settings == "shop.live"
    assert entry.project.interpreter == other
    assert re.search(r"url +found +http://127\.0\.0\.1:\d+ \(listens, pid \d+\)", result.output)


def test_of_several_servers_one_is_guessed_and_the_others_are_named(
    folder: Path, project: Path, cli: Cli
) -> None:
    with serving(project) as first, serving(project, "--settings=shop.other") as second:
        result = cli("init", "--output", "any.toml")
        chosen = cli("init", "--url", f"http://127.0.0.1:{second}/api/")
    guessed = next(line for line in result.output.splitlines() if " guessed " in line)
    assert f":{first}" in guessed
    assert f":{second}" in guessed
    assert "--url chooses" in guessed
    entry = written(folder)
    assert entry.url == f"http://127.0.0.1:{second}/api"
    assert entry.project is not None
    assert entry.project.settings == "shop.other"
    assert "the running server's" in chosen.output


def test_a_server_of_another_project_is_left_alone(
    folder: Path, project: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(make_project(tmp_path_factory.mktemp("far") / "other")):
        assert "no server of the project runs" in cli("init").output


def test_options_outrank_what_is_found(folder: Path, project: Path, cli: Cli) -> None:
    python = make_environment(folder / "mine")
    with serving(project):
        result = cli(
            "init", "--url", "http://localhost:9999", "--settings", "shop.qa", "--interpreter",
            "mine/bin/python", "--log", "logs/other.log", "--token-env", "SHOP_TOKEN",
            "--header-env", "X-Api-Key=SHOP_KEY",
        )  # fmt: skip
    assert result.exit_code == 0
    configuration = load_configuration(None, folder)
    entry = configuration.targets["shop"]
    assert entry.url == "http://localhost:9999"
    assert entry.bearer_token == "${SHOP_TOKEN}"  # noqa: S105 (its name)
    assert entry.headers == {"X-Api-Key": "${SHOP_KEY}"}
    assert entry.log == folder / "logs" / "other.log"
    assert entry.project is not None
    assert (entry.project.settings, entry.project.interpreter) == ("shop.qa", python)
    assert re.search(r"SHOP_KEY +missing +not set in this shell", result.output)
    assert " given " in result.output


def test_without_a_project_the_file_still_loads(folder: Path, cli: Cli) -> None:
    result = cli("init", "--url", "https://api.example.com/v2")
    assert result.exit_code == 0
    entry = written(folder)
    assert entry.project is None
    assert entry.environment == "staging"
    assert load_configuration(None, folder).environments["staging"].hosts == ("api.example.com",)
    assert "no manage.py here, above or below" in result.output


def test_the_comments_are_what_they_seem(folder: Path, project: Path, cli: Cli) -> None:
    """Each line that is commented out would load."""
    assert cli("init").exit_code == 0
    path = folder / "qa-runner.toml"
    lines = [
        # Of the rules for the process only one can hold.
        re.sub(r"^# (?=\[|[\w.]+ = |\"/)", "", line)
        for line in path.read_text().splitlines()
        if not line.startswith(("# port =", "# pid_file ="))
    ]
    path.write_text("\n".join(lines))
    configuration = load_configuration(path, folder)
    source = source_of(configuration)
    shop = configuration.targets["shop"]
    assert set(source.data["targets"]["shop"]) == {
        "url", "environment", "version", "bearer_token", "headers", "verify_tls", "log", "paths",
        "process", "project", "server",
    }  # fmt: skip
    assert set(source.data["targets"]["shop"]["project"]) >= {"models", "intent_field"}
    assert shop.server is not None
    assert shop.server.command == (".venv/bin/python manage.py runserver 127.0.0.1:8000 --noreload")
    assert shop.server.folder == project
    assert set(shop.paths) == {"/finances/api/purchase/initiate/"}
    assert configuration.cases["PURCHASE-006"].parameters["3.1.limit.duration"] == "10s"


def test_models_that_resemble_stand_in_the_comments(folder: Path, project: Path, cli: Cli) -> None:
    cli("init")
    text = (folder / "qa-runner.toml").read_text()
    assert '# transactions = "billing.PaymentTransaction"  # the test case has finances.P' in text
    assert "or billing.PurchaseLine" in text
    assert '# balances = "billing.StudentBalance"' in text
    assert '# users = "auth.User"' in text
    assert "Base" not in text
    assert "Balances" not in text


def test_the_label_of_an_app_is_what_it_says(folder: Path, project: Path, cli: Cli) -> None:
    app = project / "billing"
    (app / "models.py").unlink()
    (app / "models").mkdir()
    (app / "models" / "wallet.py").write_text("class WalletBalance(Model): pass\n")
    (app / "models" / "broken.py").write_text("class Python2: print 'x'\n")
    (app / "models" / "binary.py").write_bytes(b"\x00\xff")
    (app / "apps.py").write_text("class C(AppConfig):\n    label = 'money'\n")
    inside = project / ".venv" / "lib" / "pkg"
    inside.mkdir(parents=True)
    (inside / "models.py").write_text("class UserTransaction(Model): pass\n")
    cli("init")
    text = (folder / "qa-runner.toml").read_text()
    assert '# balances = "money.WalletBalance"' in text
    assert "UserTransaction" not in text


def test_an_active_virtual_environment_is_a_guess_unless_it_is_our_own(
    folder: Path, project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".venv" / "pyvenv.cfg").unlink()
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert "no virtual environment found; --interpreter says which" in cli("init").output
    python = make_environment(folder / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(folder / "active"))
    result = cli("init", "--force")
    assert re.search(r"interpreter +guessed .*active in this shell", result.output)
    entry = written(folder)
    assert entry.project is not None
    assert entry.project.interpreter == python


def test_a_file_is_never_replaced_without_force(folder: Path, cli: Cli) -> None:
    path = folder / "qa-runner.toml"
    path.write_text("mine")
    result = cli("init")
    assert result.exit_code == 2
    assert result.stderr == "Error: qa-runner.toml is there already; --force replaces it\n"
    assert path.read_text() == "mine"
    assert cli("init", "--force").exit_code == 0
    assert written(folder).url
    (folder / "link.toml").symlink_to("nowhere")
    assert "is there already" in cli("init", "--output", "link.toml").stderr


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("--url", "127.0.0.1:8000"), "--url must begin with http:// or https://"),
        (("--url", "http://u:hunter2@a"), "--url must not contain user or password"),
        (("--project", "missing"), "--project missing is no folder"),
        (("--project", "logs"), "--project logs holds no manage.py; name its settings"),
        (("--interpreter", "logs"), "--interpreter logs cannot be executed"),
        (("--interpreter", "missing"), "--interpreter missing cannot be executed"),
        (("--log", "missing/server.log"), "--log missing/server.log is no file in a folder"),
        (("--log", "logs"), "--log logs is no file in a folder"),
        (("--token-env", "hunter2 x"), "--token-env takes the name of an environment variable"),
        (("--header-env", "X-Key"), "--header-env reads NAME=VARIABLE"),
        (("--header-env", "X-Key=hunter2 x"), "--header-env reads NAME=VARIABLE"),
        (("--header-env", "X Key=KEY"), "--header-env reads NAME=VARIABLE"),
        (("--settings", "shop/settings.py", "--project", "shop"), "--settings is no module"),
        (("--output", "missing/qa.toml"), "cannot write missing/qa.toml: No such file"),
        (("--output", "logs", "--force"), "cannot write logs: Is a directory"),
    ],
)
def test_an_option_that_cannot_be_right_is_one_line(
    folder: Path, cli: Cli, options: tuple[str, ...], wanted: str
) -> None:
    result = cli("init", *options)
    assert result.exit_code == 2
    assert wanted in result.stderr
    assert "hunter2" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (folder / "qa-runner.toml").exists()


@pytest.mark.parametrize("name", ["Größe ${X} \"q\" 'a'\\n", "demo", "url", "🛒", "a\x7fb"])
def test_whatever_a_project_is_called_what_is_written_loads(
    folder: Path, cli: Cli, name: str
) -> None:
    project = make_project(folder / name, "shop")
    assert cli("init").exit_code == 0
    entry = written(folder)
    assert entry.project is not None
    assert entry.project.folder == project


def test_variables_that_the_settings_read_stand_in_a_comment(
    folder: Path, project: Path, cli: Cli
) -> None:
    settings = project / "shop" / "settings"
    settings.mkdir(parents=True)
    (settings / "base.py").write_text('DEBUG = env.bool("DEBUG")\nA = os.getenv( "A_B" , "")\n')
    (settings / "live.py").write_text("B = os.environ['B']  # env_file('NOT_THIS')\n")
    cli("init", "--settings", "shop.settings.live")
    text = (folder / "qa-runner.toml").read_text()
    listed = '{ B = "${B}", DEBUG = "${DEBUG}", A_B = "${A_B}" }'
    assert f"# environment = {listed}  # with which it opens" in text


def test_settings_that_manage_py_does_not_name(
    folder: Path, project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "manage.py").write_bytes(b"\xff\x00")
    assert "--settings names the module" in cli("init").output
    assert written(folder).project is None
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.shell")
    assert "DJANGO_SETTINGS_MODULE of this shell" in cli("init", "--force").output
    entry = written(folder)
    assert entry.project is not None
    assert entry.project.settings == "shop.shell"


def test_a_written_token_is_needed_for_a_run(folder: Path, cli: Cli) -> None:
    assert cli("init", "--token-env", "NOBODY_SETS_THIS").exit_code == 0
    with pytest.raises(UsageError, match="NOBODY_SETS_THIS is not set"):
        written(folder)
