"""The public surface, and what it costs to touch it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import qa_runner
from qa_runner import errors

HEAVY = {"django", "matplotlib", "numpy", "scipy", "httpx", "rich", "jinja2", "psutil", "asyncio"}


def test_public_names_are_sorted_and_each_can_be_imported() -> None:
    assert qa_runner.__all__ == sorted(qa_runner.__all__)
    assert len(set(qa_runner.__all__)) == len(qa_runner.__all__)
    for name in qa_runner.__all__:
        assert getattr(qa_runner, name) is not None
        assert name in dir(qa_runner)


def test_a_star_import_brings_exactly_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from qa_runner import *", names)  # noqa: S102 (what is tested)
    assert names.keys() - {"__builtins__"} == set(qa_runner.__all__)


def test_public_names_say_what_they_are() -> None:
    for name in qa_runner.__all__:
        assert getattr(qa_runner, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = qa_runner.Nonsense
    with pytest.raises(ImportError):
        importlib.import_module("qa_runner.Nonsense")


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a process of its own has loaded after ``code``."""
    text = f"{code}\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


_COMMAND = """
import sys
from qa_runner.cli import main
try:
    main({arguments!r}, prog_name="qa-runner")
except SystemExit as end:
    assert not end.code
"""


@pytest.mark.parametrize(
    "code",
    [
        "import qa_runner",
        "import qa_runner.cli",
        "from qa_runner import errors, metric, verdict",
        *(
            _COMMAND.format(arguments=arguments)
            for arguments in (["--help"], ["--version"], ["run", "--help"], ["demo", "--help"])
        ),
    ],
)
def test_help_and_the_bare_import_load_nothing_heavy(code: str) -> None:
    loaded = loaded_after(code)
    assert "qa_runner" in loaded
    assert loaded & HEAVY == set()


def test_listing_cases_loads_no_plotting_and_no_django() -> None:
    loaded = loaded_after(_COMMAND.format(arguments=["list"]))
    assert loaded & {"django", "matplotlib", "scipy", "jinja2"} == set()


def test_each_module_names_its_public_things_in_order() -> None:
    for module in pkgutil.iter_modules(qa_runner.__path__, "qa_runner."):
        if module.ispkg or module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        names = getattr(loaded, "__all__", None)
        if names is not None:
            assert len(set(names)) == len(names), module.name
            assert all(hasattr(loaded, name) for name in names), module.name


def test_the_exceptions_form_the_tree_that_is_drawn_with_these_exit_codes() -> None:
    codes = {name: getattr(errors, name).exit_code for name in errors.__all__}
    assert codes == {
        "QaRunnerError": 4,
        "UsageError": 2,
        "UnknownName": 2,
        "TestCaseError": 2,
        "CriterionError": 2,
        "OutputError": 2,
        "RunFolderError": 2,
        "PortTaken": 2,
        "SafetyStop": 3,
        "CouldNotRun": 4,
        "TargetError": 4,
        "GeneratorError": 4,
        "CalibrationError": 4,
        "ProbeError": 4,
        "StopRequested": 130,
    }
    assert not issubclass(errors.StopRequested, Exception)
    for name in errors.__all__:
        assert name in (errors.__doc__ or "")


def test_an_unknown_name_lists_the_valid_ones_and_suggests_a_near_one() -> None:
    error = errors.UnknownName("fault", "leek", ["slow", "leak"])
    assert str(error) == "unknown fault 'leek'. Did you mean leak? Valid: slow, leak"
    assert str(errors.UnknownName("fault", "x", iter([]))) == "unknown fault 'x'. Valid: none"
