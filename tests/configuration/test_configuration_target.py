"""A target that is used: its variables, its files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from qa_runner.configuration.reading import load_configuration
from qa_runner.configuration.schema import Configuration, TargetEntry
from qa_runner.configuration.target import environment_entry, target_entry
from qa_runner.errors import UnknownName, UsageError

SHOP = """\
[targets.shop]
url = "http://127.0.0.1:${SHOP_PORT}"
bearer_token = "${SHOP_TOKEN}"
headers = { "X-Signature" = "v1 ${SHOP_KEY}/$${literal}" }
log = "logs/${SHOP_NAME}.log"

[targets.shop.project]
folder = "shop"
settings = "shop.settings"
interpreter = "venv/bin/python"
environment = { DEBUG = "${SHOP_DEBUG}" }

[targets.other]
url = "http://127.0.0.1:1"
bearer_token = "${NOBODY_SETS_THIS}"

[environments.bed]
hosts = ["${BED_HOST}"]
"""
VARIABLES = {
    "SHOP_PORT": "8000",
    "SHOP_TOKEN": "t0ken",
    "SHOP_KEY": "${SHOP_TOKEN}",
    "SHOP_NAME": "server",
    "SHOP_DEBUG": "",
    "BED_HOST": "bed.example",
}


@pytest.fixture
def shop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file above, with its variables set."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    path = folder / "qa-runner.toml"
    path.write_text(SHOP)
    return path


def entry(path: Path, name: str = "shop") -> TargetEntry:
    return target_entry(load_configuration(path, path.parent), name)


def said(path: Path, name: str = "shop") -> str:
    with pytest.raises(UsageError) as caught:
        entry(path, name)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_version_may_name_a_variable(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entry(shop).version == ""
    monkeypatch.setenv("SHOP_VERSION", "1.4.2")
    line = 'version = "v${SHOP_VERSION}"'
    shop.write_text(SHOP.replace("[targets.shop.p", f"{line}\n[targets.shop.p"))
    assert entry(shop).version == "v1.4.2"


def test_variables_are_filled_in_once(shop: Path) -> None:
    filled = entry(shop)
    assert filled.url == "http://127.0.0.1:8000"
    assert filled.bearer_token == "t0ken"  # noqa: S105 (of a test)
    # What a variable holds is not looked at again, and $${ is how ${ is written.
    assert filled.headers == {"X-Signature": "v1 ${SHOP_TOKEN}/${literal}"}
    assert filled.log == shop.parent / "logs" / "server.log"
    assert filled.project is not None
    assert filled.project.environment == {"DEBUG": ""}


def test_a_variable_that_is_not_set_is_named_with_its_line(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_TOKEN")
    assert said(shop) == (
        "qa-runner.toml:3: targets.shop.bearer_token: the environment variable SHOP_TOKEN is not "
        "set; set it: export SHOP_TOKEN=..."
    )


def test_a_secret_that_is_set_to_nothing_is_none(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "")
    assert "environment variable SHOP_TOKEN is empty" in said(shop)


def test_only_the_target_in_use_needs_its_variables(shop: Path) -> None:
    assert entry(shop).url
    assert said(shop, "other").startswith("qa-runner.toml:15: targets.other.bearer_token: ")


def test_what_a_variable_holds_is_checked(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "80 00")
    assert said(shop).startswith("qa-runner.toml:2: targets.shop.url: contains spaces")
    monkeypatch.setenv("SHOP_PORT", "8000")
    monkeypatch.setenv("SHOP_TOKEN", "secret\nX-Admin: 1")
    assert "targets.shop.bearer_token: contains a line break" in said(shop)
    assert "secret" not in said(shop)


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-B}", "${A"])
def test_a_name_that_is_none_is_refused(shop: Path, text: str) -> None:
    shop.write_text(SHOP.replace("${SHOP_TOKEN}", text))
    assert "bearer_token: '${' begins the name of an environment variable" in said(shop)


@pytest.mark.parametrize(
    ("line", "changed", "number", "wanted"),
    [
        ('folder = "shop"', 'folder = "shpo"', 8, "shpo is not there; a folder is wanted"),
        ('folder = "shop"', 'folder = "qa-runner.toml"', 8, "is a file; a folder is wanted"),
        ("venv/bin/python", "venv/bin/python9", 10, "is not there; give the project's bin/python"),
        ("venv/bin/python", "venv", 10, "is a folder; give the interpreter, "),
        ("venv/bin/python", "dangling", 10, "is not there, a link to nowhere"),
        ("venv/bin/python", "qa-runner.toml", 10, "cannot be executed"),
        ("logs/${SHOP_NAME}.log", "log/server.log", 5, "there is no folder "),
        ("logs/${SHOP_NAME}.log", "logs", 5, "is a folder; give the log file in it"),
        ("logs/${SHOP_NAME}.log", "pipe", 5, "pipe is no regular file; give the file that the s"),
        ("logs/${SHOP_NAME}.log", "/dev/zero", 5, "/dev/zero is no regular file; give the file"),
        ("venv/bin/python", "pipe", 10, "is no regular file; give the project's bin/python"),
        ("logs/${SHOP_NAME}.log", "x" * 300 + "/log", 5, "cannot be looked at: File name too long"),
    ],
)
def test_what_must_be_there_and_is_not(
    shop: Path, line: str, changed: str, number: int, wanted: str
) -> None:
    (shop.parent / "dangling").symlink_to("nowhere")
    os.mkfifo(shop.parent / "pipe")
    shop.write_text(SHOP.replace(line, changed))
    shop.chmod(0o644)
    message = said(shop)
    assert re.match(rf"qa-runner\.toml:{number}: targets\.shop\.", message)
    assert wanted in message


def test_a_log_that_is_not_written_yet_will_do(shop: Path) -> None:
    log = entry(shop).log
    assert log is not None
    assert not log.exists()


def test_an_unknown_target_lists_the_names(shop: Path) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean shop\? Valid: shop, other"):
        entry(shop, "shp")


def test_an_environment_is_filled_in_too(shop: Path) -> None:
    read = load_configuration(shop, shop.parent)
    found = environment_entry(read, "bed")
    assert found is not None
    assert found.hosts == ("bed.example",)
    assert environment_entry(read, "staging") is None


def test_a_configuration_made_in_a_program_needs_no_file(folder: Path) -> None:
    made = Configuration(targets={"a": TargetEntry(url="http://127.0.0.1")})
    assert target_entry(made, "a").url == "http://127.0.0.1"
    broken = Configuration(targets={"a": TargetEntry(url="http://127.0.0.1", log=Path("/no/log"))})
    with pytest.raises(UsageError, match=r"targets\.a\.log: there is no folder /no"):
        target_entry(broken, "a")
