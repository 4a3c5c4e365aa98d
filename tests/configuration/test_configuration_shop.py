"""qa-runner init with a real Django project under its servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from configuration_bench import Cli
from projects.storefront import MODELS, SETTINGS, Shop, ShopServer

from qa_runner.configuration.reading import load_configuration
from qa_runner.configuration.target import target_entry


@pytest.mark.parametrize("kind", ["runserver", "gunicorn"])
def test_all_of_a_running_project_is_found(
    shop: Shop,
    start_shop: Callable[..., ShopServer],
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    kind: Literal["runserver", "gunicorn"],
) -> None:
    server = start_shop(kind)
    monkeypatch.chdir(shop.folder)
    result = cli("init")
    assert result.exit_code == 0, result.output
    configuration = load_configuration(None, Path.cwd())
    entry = target_entry(configuration, configuration.default_target)
    assert entry.url == server.url
    assert entry.log == shop.log
    assert entry.project is not None
    assert entry.project.folder == shop.folder
    assert entry.project.settings == SETTINGS
    assert entry.project.interpreter == shop.python
    text = (shop.folder / "qa-runner.toml").read_text()
    for role, model in MODELS.items():
        assert f'# {role} = "{model}"' in text


def test_variables_that_the_server_has_and_this_shell_has_not_are_told(
    shop: Shop,
    start_shop: Callable[..., ShopServer],
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_STATE", str(shop.state))  # the same: nothing to be told
    monkeypatch.setenv("SHOP_DEBUG", "1")
    start_shop(SHOP_DEBUG="0", STRIPE_SECRET_KEY="sk_test_marked00")  # noqa: S106 (made up)
    monkeypatch.chdir(shop.folder)
    result = cli("init")
    lines = {line.split()[0]: line for line in result.output.splitlines()}
    assert "the running server has it, this shell has not" in lines["DATABASE_URL"]
    assert "the running server has another value" in lines["SHOP_DEBUG"]
    assert "the running server has it" in lines["STRIPE_SECRET_KEY"]
    assert "SHOP_STATE" not in lines
    text = (shop.folder / "qa-runner.toml").read_text()
    assert 'DATABASE_URL = "${DATABASE_URL}"' in text
    assert "marked" not in text + result.output
