"""The commands with a qa-runner.toml."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from configuration_bench import Cli

SHOP = """\
default_target = "shop"
output = "runs"

[targets.shop]
url = "http://127.0.0.1:8000"
bearer_token = "${NOBODY_SETS_THIS}"
paths = { "/finances/api/purchase/initiate/" = "/api/v2/purchase/" }

[cases.PURCHASE-006.parameters]
3.1.requests = 8
"""


@pytest.fixture
def shop(folder: Path) -> Path:
    path = folder / "qa-runner.toml"
    path.write_text(SHOP)
    return path


def test_show_shows_what_a_run_would_take_without_any_secret(shop: Path, cli: Cli) -> None:
    text = cli("show", "PURCHASE-006").output
    assert "case.path = /api/v2/purchase/" in text
    assert "3.1.requests = 8   (text: 5)" in text
    text = cli("show", "PURCHASE-006", "--target", "demo").output
    assert "case.path = /finances/api/purchase/initiate/" in text


def test_a_file_can_be_named(
    shop: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "its.toml"
    other.write_text("[cases.PURCHASE-006.parameters]\n3.1.requests = 6\n")
    shown = json.loads(cli("show", "PURCHASE-006", "--config", str(other), "--json").output)
    part = next(p for s in shown["steps"] for p in s["parts"] if p["id"] == "3.1")
    assert part["parameters"]["requests"] == 6


def test_a_run_says_in_one_line_what_is_missing(shop: Path, cli: Cli) -> None:
    result = cli("run", "PURCHASE-006")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: qa-runner.toml:6: targets.shop.bearer_token: the environment variable "
        "NOBODY_SETS_THIS is not set; set it: export NOBODY_SETS_THIS=...\n"
    )
    assert not (shop.parent / "runs").exists()


def test_an_unknown_target_lists_the_names(shop: Path, cli: Cli) -> None:
    result = cli("run", "PURCHASE-006", "--target", "shp")
    assert result.exit_code == 2
    assert "unknown target 'shp'. Did you mean shop? Valid: demo, shop, a URL" in result.stderr


def test_the_folder_for_runs_is_that_of_the_file(shop: Path, cli: Cli) -> None:
    assert f"no runs below {shop.parent / 'runs'}" in cli("runs").stderr
    assert f"no runs below {shop.parent / 'runs'}" in cli("rerun", "--step", "3").stderr
    assert "no runs below elsewhere" in cli("runs", "--output", "elsewhere").stderr


def test_a_mistake_in_the_file_does_not_keep_from_stored_runs(shop: Path, cli: Cli) -> None:
    shop.write_text("nonsense")
    assert "no valid TOML" in cli("runs").stderr
    assert "no runs below elsewhere" in cli("report", "--output", "elsewhere").stderr


def test_in_a_folder_that_is_gone(folder: Path, cli: Cli) -> None:
    gone = folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    try:
        assert cli("run", "PURCHASE-006").stderr == (
            "Error: the working folder is gone; change into one that is there\n"
        )
    finally:
        os.chdir(folder)
