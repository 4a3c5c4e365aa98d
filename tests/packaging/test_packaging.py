"""What is shipped: the wheel holds every tracked file and works where nothing else is."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAPPED = {"testcases": "qa_runner/testcases", "templates": "qa_runner/templates"}
MINUTES = 60.0
NO_INDEX = ("No matching distribution", "Could not find a version", "ConnectionError", "Temporary")


def run(*command: str | Path, cwd: Path, seconds: float = 5 * MINUTES) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def tracked() -> list[str]:
    """What git tracks or would track, relative to the root."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("what is tracked can be asked of a git checkout only")
    listed = run(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT
    ).split("\0")
    return sorted(name for name in listed if name and (ROOT / name).is_file())


def skip_without_index(output: str) -> None:
    if any(sign in output for sign in NO_INDEX):
        pytest.skip(f"pip cannot reach its index: {output.strip().splitlines()[-1]}")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracked files, so that nothing is built inside the checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by way of the sdist, as a release is."""
    pytest.importorskip("build", reason="needs the package build")
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(checkout)],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * MINUTES,
    )
    if done.returncode:
        skip_without_index(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (found,) = out.glob("*.whl")
    assert list(out.glob("*.tar.gz"))
    return found


def test_the_wheel_holds_every_file_of_package_test_cases_and_templates(
    wheel: Path, checkout: Path
) -> None:
    wanted = set()
    for name in tracked():
        top, _, rest = name.partition("/")
        if Path(name).name.startswith("."):
            continue  # settings of linters
        if top == "qa_runner":
            wanted.add(name)
        elif top in MAPPED:
            wanted.add(f"{MAPPED[top]}/{rest}")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert wanted - packed == set(), "not in the wheel: see packages and package_data in setup.cfg"
    assert packed - wanted == set(), "in the wheel, but not tracked"
    assert "qa_runner/py.typed" in packed


def test_nothing_generic_lands_in_site_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        meta = next(top for top in tops if top.endswith(".dist-info"))
        listed = archive.read(f"{meta}/RECORD").decode()
    assert tops == {"qa_runner", meta}
    assert "licenses/LICENSE" in listed


def test_every_folder_with_code_is_listed_as_a_package(checkout: Path) -> None:
    settings = configparser.ConfigParser()
    settings.read(checkout / "setup.cfg")
    listed = set(settings["options"]["packages"].split())
    own = {path.parent for path in (checkout / "qa_runner").rglob("*.py")}
    mapped = {path.parent for name in MAPPED for path in (checkout / name).rglob("__init__.py")}
    wanted = {".".join(folder.relative_to(checkout).parts) for folder in own}
    wanted |= {".".join(("qa_runner", *folder.relative_to(checkout).parts)) for folder in mapped}
    assert listed == wanted


def test_a_wheel_works_from_any_folder_without_its_checkout(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # What it requires is there already; that it names all of it, .ci/run shows.
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "requirements.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = tmp_path / "venv" / "bin" / "qa-runner"
    assert run(command, "--version", cwd=elsewhere).startswith("qa-runner, version ")
    assert "PURCHASE-006" in run(python, "-m", "qa_runner", "list", cwd=elsewhere)
    shown = run(command, "show", "purchase-006", cwd=elsewhere)
    assert "Step 8" in shown
    assert "success_rate == 100 %" in shown
    home = run(
        python,
        "-c",
        "from qa_runner.discovery import data_folder as f; "
        "print(f('testcases'), f('templates'), sep='\\n')",
        cwd=elsewhere,
    ).splitlines()
    assert all(str(tmp_path / "venv") in line for line in home)
    assert (Path(home[1]) / "report.html.j2").is_file()
    assert not list(elsewhere.iterdir())


def test_a_bare_checkout_works(checkout: Path) -> None:
    # -P and -S keep out the editable install; its dependencies are added by hand.
    import click  # noqa: PLC0415 (only its place is wanted)

    site = Path(click.__file__).parents[1]
    code = (
        f"import sys; sys.path[:0] = [{str(checkout)!r}]; sys.path.append({str(site)!r}); "
        "import qa_runner, runpy; print(qa_runner.__file__); "
        "sys.argv = ['qa_runner', 'list']; runpy.run_module('qa_runner', run_name='__main__')"
    )
    found = run(sys.executable, "-S", "-c", code, cwd=checkout)
    assert str(checkout / "qa_runner") in found
    assert "PURCHASE-006" in found


def test_the_module_and_the_command_work_from_the_checkout_and_from_elsewhere(
    tmp_path: Path,
) -> None:
    command = Path(sys.executable).with_name("qa-runner")
    if not command.is_file():
        pytest.skip("the project is not installed in this environment")
    for cwd in (ROOT, tmp_path):
        assert "PURCHASE-006" in run(command, "list", cwd=cwd)
        assert "PURCHASE-006" in run(sys.executable, "-m", "qa_runner", "list", cwd=cwd)
    assert not list(tmp_path.iterdir())
