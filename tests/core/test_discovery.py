"""Where cases come from, each in a process of its own where the working folder matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qa_runner import discovery
from qa_runner.data_folder import data_folder
from qa_runner.errors import TestCaseError, UnknownName

CASE = '''
from qa_runner import Step, StepContext, TestCase, part
{imports}

class Only(Step):
    """The only one."""

    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "first", criteria=("{criterion}",))
    def first(self, ctx: StepContext) -> None:
        """Nothing."""


class Case(TestCase):
    """A case."""

    id = "{id}"
    name = "{name}"
    description = "For the tests"
    steps = (Only,)
'''


def write_case(
    root: Path,
    folder: str,
    *,
    identifier: str = "MINE-1",
    name: str = "Mine",
    imports: str = "",
    criterion: str = "success_rate == 100 %",
) -> Path:
    text = CASE.format(id=identifier, name=name, imports=imports, criterion=criterion)
    return write(root, folder, text)


def write(root: Path, folder: str, text: str | bytes) -> Path:
    (root / folder).mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    (root / folder / "__init__.py").write_bytes(data)
    return root / folder


_LIST = """
import json, sys
before = list(sys.path)
from qa_runner import discovery
from qa_runner.errors import QaRunnerError
found = discovery.discover()
errors = {}
for name in sys.argv[1:]:
    try:
        errors[name] = discovery.find(name).name
    except QaRunnerError as error:
        errors[name] = f"{type(error).__name__}: {error}"
json.dump({
    "cases": {case.id: case.name for case in found.cases},
    "broken": {folder: str(error) for folder, error in found.broken},
    "found": errors,
    "path kept": sys.path == before,
}, sys.stdout)
"""


def listed(cwd: Path, *names: str, path: Path | None = None, **keys: str) -> dict[str, object]:
    """What discovery finds in a process of its own, started in ``cwd``."""
    environment = os.environ | keys | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(
        [sys.executable, "-c", _LIST, *names],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_own_cases_stand_beside_the_bundled_ones(tmp_path: Path) -> None:
    write_case(tmp_path / "testcases", "mine")
    (tmp_path / "testcases" / "notes").mkdir()
    (tmp_path / "testcases" / "readme.txt").write_text("no case")
    found = listed(tmp_path, "mine-1", "Purchase-006", "MINE-2", "mine")
    assert list(found["cases"]) == ["MINE-1", "PURCHASE-006"]  # type: ignore[call-overload]
    assert found["broken"] == {}
    assert found["path kept"]
    by_name: dict[str, str] = found["found"]  # type: ignore[assignment]
    assert by_name["mine-1"] == "Mine"
    assert by_name["Purchase-006"].startswith("API Performance")
    assert by_name["MINE-2"] == (
        "UnknownName: unknown test case 'MINE-2'. Did you mean MINE-1? Valid: MINE-1, PURCHASE-006"
    )
    assert by_name["mine"].startswith("UnknownName: ")


def test_of_two_cases_with_one_id_that_in_the_working_folder_wins(tmp_path: Path) -> None:
    write_case(tmp_path / "testcases", "copy", identifier="purchase-006", name="My copy")
    found = listed(tmp_path, "PURCHASE-006")
    assert found["cases"] == {"purchase-006": "My copy"}
    assert found["found"] == {"PURCHASE-006": "My copy"}
    ((folder, said),) = found["broken"].items()  # type: ignore[attr-defined]
    assert folder == "purchase_006"
    assert "has the id PURCHASE-006 of" in said
    assert "which comes first" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("folder", ["copy", "purchase_006"])
def test_a_case_whose_id_is_taken_is_left_out_naming_both(tmp_path: Path, folder: str) -> None:
    own = write_case(tmp_path / "testcases", folder, identifier="PURCHASE-006", name="My copy")
    found = listed(tmp_path)
    (said,) = found["broken"].values()  # type: ignore[attr-defined]
    bundled = data_folder("testcases") / "purchase_006"
    assert str(own) in said
    assert str(bundled.resolve()) in said


def test_of_two_cases_of_one_folder_with_one_id_the_second_is_left_out(tmp_path: Path) -> None:
    write_case(tmp_path / "testcases", "a", name="First")
    write_case(tmp_path / "testcases", "b", identifier="mine-1", name="Second")
    found = listed(tmp_path, "MINE-1", "mine-1", "b", "MINE-3")
    by_name: dict[str, str] = found["found"]  # type: ignore[assignment]
    assert found["cases"]["MINE-1"] == "First"  # type: ignore[index]
    assert (by_name["MINE-1"], by_name["mine-1"]) == ("First", "First")
    assert "has the id mine-1 of" in by_name["b"]
    # Whoever looks for a case that was left out is told of it.
    assert by_name["MINE-3"].startswith("TestCaseError: unknown test case 'MINE-3'.")
    assert "Did you mean MINE-1? Valid: MINE-1, PURCHASE-006" in by_name["MINE-3"]
    assert by_name["MINE-3"].endswith(f"Left out: {found['broken']['b']}")  # type: ignore[index]


def test_an_unknown_case_is_told_what_was_left_out_and_why(tmp_path: Path) -> None:
    write(tmp_path / "testcases", "one", "raise ValueError('half done')")
    write(tmp_path / "testcases", "two", "import no_such_module")
    said: str = listed(tmp_path, "MINE-1")["found"]["MINE-1"]  # type: ignore[index]
    assert said.startswith("TestCaseError: unknown test case 'MINE-1'.")
    assert "Valid: PURCHASE-006. Left out: testcases/one cannot be imported: " in said
    assert "half done" in said
    assert "No module named 'no_such_module'" in said
    assert len(said.splitlines()) == 1


def test_a_path_to_a_folder_is_loaded_whatever_is_in_the_working_folder(tmp_path: Path) -> None:
    write_case(tmp_path / "testcases", "mine", name="In the working folder")
    elsewhere = write_case(tmp_path / "else where", "mine", name="Elsewhere")
    names = (
        str(elsewhere),
        "./else where/mine",
        "else where/mine/",
        "else where/none",
        "./testcases",
    )
    found: dict[str, str] = listed(tmp_path, *names)["found"]  # type: ignore[assignment]
    assert [found[name] for name in names[:3]] == ["Elsewhere"] * 3
    assert found[names[3]].startswith("UnknownName: unknown test case 'else where/none'")
    assert "it has no __init__.py" in found[names[4]]


def test_the_bundled_cases_are_found_from_any_folder(tmp_path: Path) -> None:
    assert listed(tmp_path)["cases"] == {
        "PURCHASE-006": "API Performance Testing and Load Capacity Verification"
    }


def entry_point(root: Path, name: str, module: str) -> None:
    """An installed distribution that brings cases."""
    meta = root / f"{name}-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text(f"[qa_runner.testcases]\n{name} = {module}\n")


def test_cases_of_installed_packages_come_behind_own_and_before_bundled_ones(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "site"
    entry_point(installed, "theirs", "their_cases")
    write(installed, "their_cases", "")
    write_case(installed / "their_cases", "one", identifier="THEIRS-1", name="Theirs")
    write_case(installed / "their_cases", "two", identifier="MINE-1", name="Hidden by mine")
    write_case(installed / "their_cases", "three", identifier="PURCHASE-006", name="Theirs too")
    write_case(tmp_path / "testcases", "mine")
    found = listed(tmp_path, path=installed)
    assert found["cases"] == {"MINE-1": "Mine", "PURCHASE-006": "Theirs too", "THEIRS-1": "Theirs"}


@pytest.mark.parametrize("module", ["no_such_package.cases", "raising.cases", "exiting.cases"])
def test_an_entry_point_that_leads_nowhere_breaks_nothing(tmp_path: Path, module: str) -> None:
    installed = tmp_path / "site"
    entry_point(installed, "theirs", module)
    write(installed, "raising", "raise RuntimeError('two\\nlines')")
    write(installed, "exiting", "raise SystemExit(3)")
    found = listed(tmp_path, path=installed)
    assert "PURCHASE-006" in found["cases"]  # type: ignore[operator]
    (said,) = found["broken"].values()  # type: ignore[attr-defined]
    assert said.startswith(f"entry point {module}: ")
    assert "\n" not in said


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "syntax": ("x = (1,\n", "SyntaxError: '(' was never closed (__init__.py, line 1)"),
    "indent": ("def f():\nx = 1\n", "(__init__.py, line 2)"),
    "missing": (
        "\nimport no_such_module\n",
        "No module named 'no_such_module' (__init__.py, line 2)",
    ),
    "relative": ("from .steps import x", "No module named 'relative.steps' (__init__.py, line 1)"),
    "leaves": ("import sys\nsys.exit(3)\n", "SystemExit: 3 (__init__.py, line 2)"),
    "quits": ("\n\nexit()", "(__init__.py, line 3)"),
    "raises": ("raise ValueError('one\\ntwo')", "ValueError: one two (__init__.py, line 1)"),
    "silent": ("raise ValueError", "ValueError: no message (__init__.py, line 1)"),
    "nulls": ("x = '\x00'", "cannot be imported"),
    "bytes": (b"x = '\xff\xfe'", "cannot be imported"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "empty": ("", "must define one TestCase; found: none"),
    "two": (
        CASE.format(id="A", name="A", imports="", criterion="requests == 1")
        + "\n\nclass Other(Case):\n    id = 'B'\n",
        "must define one TestCase; found: Case, Other",
    ),
    "criterion": (
        CASE.format(id="A", name="A", imports="", criterion="succes_rate == 1 %"),
        "Did you mean success_rate?",
    ),
    "form": (
        CASE.format(id="A", name="A", imports="", criterion="success_rate is 1 %"),
        "does not parse",
    ),
    "odd": (
        CASE.format(id="A", name="A", imports="", criterion="requests == 1")
        + "    parameters = 3\n",
        "is not valid: AttributeError",
    ),
}


def test_broken_folders_break_nothing_else_and_are_told_in_a_line_each(tmp_path: Path) -> None:
    for name, (text, _) in BROKEN.items():
        write(tmp_path / "testcases", name, text)
    write_case(tmp_path / "testcases", "mine")
    found = listed(tmp_path, *BROKEN)
    assert list(found["cases"]) == ["MINE-1", "PURCHASE-006"]  # type: ignore[call-overload]
    broken: dict[str, str] = found["broken"]  # type: ignore[assignment]
    raised: dict[str, str] = found["found"]  # type: ignore[assignment]
    assert broken.keys() == BROKEN.keys()
    for name, (_, said) in BROKEN.items():
        assert said in broken[name]
        assert f"testcases/{name}" in broken[name]
        assert len(broken[name].splitlines()) == 1
        # Whoever asks for that very case is told the same.
        assert raised[name].partition(": ")[2] == broken[name]
    assert "CriterionError" in raised["criterion"]


def test_a_mistake_in_a_step_is_told_with_its_own_file(tmp_path: Path) -> None:
    folder = write_case(tmp_path, "mine", imports="from .steps import one")
    (folder / "steps").mkdir()
    (folder / "steps" / "__init__.py").write_text("from . import one\n")
    (folder / "steps" / "one.py").write_text("x = 1\ny = 1 / 0\n")
    with pytest.raises(TestCaseError, match=r"ZeroDivisionError: .* \(one.py, line 2\)"):
        discovery.find(f"{folder}/")
    (folder / "steps" / "one.py").write_text("x = 1\n\ny = = 2\n")
    with pytest.raises(TestCaseError, match=r"SyntaxError: .* \(one.py, line 3\)"):
        discovery.find(f"{folder}/")


def test_a_folder_that_was_mended_loads_without_a_new_process(tmp_path: Path) -> None:
    folder = write(tmp_path, "mine", "raise ValueError")
    with pytest.raises(TestCaseError):
        discovery.load_folder(folder)
    write_case(tmp_path, "mine", name="Mended with more characters")
    assert discovery.load_folder(folder).name == "Mended with more characters"


def test_relative_imports_work_and_nothing_is_put_on_the_path(tmp_path: Path) -> None:
    before = list(sys.path)
    folder = write_case(tmp_path, "mine", imports="from .steps import WORD\nfrom . import steps")
    (folder / "steps.py").write_text("from .words import WORD\n")
    (folder / "words.py").write_text("WORD = 'here'\n")
    other = write_case(tmp_path / "other", "mine", name="Other", imports="from . import steps")
    (other / "steps.py").write_text("")
    assert discovery.find(f"{folder}/").name == "Mine"
    assert discovery.find(f"{other}/").name == "Other"  # two folders of one name do not mix
    assert sys.path == before
    assert "steps" not in sys.modules
    assert "mine" not in sys.modules


def test_what_a_case_prints_when_imported_is_kept_out_of_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_case(tmp_path, "mine", imports="print('hello')")
    discovery.load_folder(folder)
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "hello\n")


def test_a_second_name_of_the_same_class_is_no_second_case(tmp_path: Path) -> None:
    folder = write_case(tmp_path, "mine")
    with (folder / "__init__.py").open("a") as file:
        file.write("\nAlias = Case\n")
    assert discovery.load_folder(folder).id == "MINE-1"


def test_nobody_gets_the_bundled_case_for_a_broken_copy_of_it(tmp_path: Path) -> None:
    write(tmp_path / "testcases", "purchase_006", "raise ValueError('half done')")
    found = listed(tmp_path, "PURCHASE-006")
    assert found["cases"] == {}
    assert "half done" in found["found"]["PURCHASE-006"]  # type: ignore[index]


def test_a_folder_without_permission_breaks_nothing(tmp_path: Path) -> None:
    write_case(tmp_path / "testcases", "locked").chmod(0)
    tmp_path.chmod(0o755)
    try:
        if os.access(tmp_path / "testcases" / "locked", os.R_OK):
            pytest.skip("this user may read everything")
        found = listed(tmp_path)
    finally:
        (tmp_path / "testcases" / "locked").chmod(0o755)
    assert "PURCHASE-006" in found["cases"]  # type: ignore[operator]
    assert found["broken"]


def test_an_unknown_case_is_told_with_the_valid_ones() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean PURCHASE-006\?"):
        discovery.find("PURCHASE-06")


@pytest.mark.parametrize("name", ["", " ", "/", "\udcff", "x" * 5000, "../../../etc/passwd"])
def test_no_name_of_a_case_ends_in_a_traceback(name: str) -> None:
    with pytest.raises((UnknownName, TestCaseError)):
        discovery.find(name)


def test_data_folders_are_those_of_this_checkout_or_package() -> None:
    assert (data_folder("testcases") / "purchase_006" / "__init__.py").is_file()
    assert (data_folder("templates") / "report.html.j2").is_file()
