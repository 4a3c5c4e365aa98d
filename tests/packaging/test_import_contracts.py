"""The contracts of import-linter name every module that there is: a new one is not left out."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def modules() -> set[str]:
    found = {path.stem for path in (ROOT / "qa_runner").glob("*.py")}
    found |= {path.parent.name for path in (ROOT / "qa_runner").glob("*/__init__.py")}
    return {f"qa_runner.{name}" for name in found if not name.startswith("__")}


@pytest.mark.parametrize(
    ("contract", "field", "missing"),
    [
        ("testcases", "forbidden_modules", set()),
        ("demo", "forbidden_modules", {"qa_runner.demo"}),
        ("demo-is-a-process", "source_modules", {"qa_runner.demo"}),
    ],
)
def test_a_contract_names_every_module(contract: str, field: str, missing: set[str]) -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    named = set(contracts[f"importlinter:contract:{contract}"][field].split())
    assert modules() - named == missing
