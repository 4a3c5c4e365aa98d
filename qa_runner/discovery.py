"""Where test cases come from: a path, ``./testcases``, entry points, the bundled ones.

Each folder is mounted as a package of its own under a made-up name, so that relative imports
work and ``sys.path`` stays as it is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from qa_runner.errors import TestCaseError, UnknownName
from qa_runner.testcase import CaseDefinition, TestCase, define

__all__ = ["Catalogue", "data_folder", "discover", "find"]

ENTRY_POINT_GROUP = "qa_runner.testcases"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The cases found, and for each broken folder the line that says what is wrong with it."""

    cases: tuple[CaseDefinition, ...]
    broken: tuple[tuple[str, TestCaseError], ...]


def data_folder(name: str) -> Path:
    """``testcases`` or ``templates``: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def discover() -> Catalogue:
    """All cases; of two with one id the first found wins. A broken folder breaks nothing else."""
    cases: dict[str, CaseDefinition] = {}
    broken: list[tuple[str, TestCaseError]] = []
    for folder in _folders():
        try:
            found = load_folder(folder)
        except TestCaseError as error:
            broken.append((folder.name, error))
        else:
            cases.setdefault(found.id.casefold(), found)
    return Catalogue(tuple(sorted(cases.values(), key=lambda case: case.id)), tuple(broken))


def find(name: str) -> CaseDefinition:
    """The case with this id (case-insensitive), or in this folder if ``name`` is a path.

    Raises TestCaseError if it is broken, UnknownName if there is none.
    """
    path = Path(name)
    if ("/" in name or path.suffix == ".py") and path.is_dir():
        return load_folder(path)
    catalogue = discover()
    for case in catalogue.cases:
        if case.id.casefold() == name.casefold():
            return case
    wanted = _squeezed(name)
    for folder, error in catalogue.broken:
        if _squeezed(folder) == wanted:
            raise error
    raise UnknownName("test case", name, [case.id for case in catalogue.cases])


def _squeezed(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _folders() -> list[Path]:
    own = Path.cwd() / "testcases"
    roots = [own]
    for point in entry_points(group=ENTRY_POINT_GROUP):
        spec = importlib.util.find_spec(point.module)
        if spec and spec.submodule_search_locations:
            roots.extend(Path(location) for location in spec.submodule_search_locations)
    roots.append(data_folder("testcases"))
    folders: list[Path] = []
    for root in roots:
        if not root.is_dir():
            continue
        for folder in sorted(root.iterdir()):
            if (folder / "__init__.py").is_file() and folder.resolve() not in folders:
                folders.append(folder.resolve())
    return folders


def load_folder(folder: Path) -> CaseDefinition:
    """The one test case that a folder's ``__init__.py`` defines.

    Raises TestCaseError if it cannot be imported, or if it defines no case or several.
    """
    folder = folder.resolve()
    origin = f"testcases/{folder.name}"
    start = folder / "__init__.py"
    if not start.is_file():
        raise TestCaseError(f"{folder} is no test case: it has no __init__.py")
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    name = f"_qa_runner_case_{digest}"
    if name not in sys.modules:
        _mount(name, start, folder, origin)
    cases = [
        value
        for value in vars(sys.modules[name]).values()
        if inspect.isclass(value) and issubclass(value, TestCase) and value is not TestCase
    ]
    if len(cases) != 1:
        found = "none" if not cases else ", ".join(case.__name__ for case in cases)
        raise TestCaseError(f"{origin}/__init__.py must define one TestCase; found: {found}")
    return define(cases[0], origin)


def _mount(name: str, start: Path, folder: Path, origin: str) -> None:
    spec = importlib.util.spec_from_file_location(
        name, start, submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise TestCaseError(f"{origin} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    # A case is anybody's code: whatever it raises, and exit() too, must not end the command.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        for loaded in [n for n in sys.modules if n == name or n.startswith(f"{name}.")]:
            del sys.modules[loaded]
        raise TestCaseError(f"{origin} cannot be imported: {_where(error, folder)}") from None


def _where(error: BaseException, folder: Path) -> str:
    """The error in one line, with the file and line in the case that it came from."""
    message = " ".join(str(error).split()) or "no message"
    text = f"{type(error).__name__}: {message}"
    if isinstance(error, SyntaxError) and error.filename:
        message = text.split(" (", maxsplit=1)[0]
        return f"{message} ({Path(error.filename).name}, line {error.lineno})"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f"{text} ({Path(frame.filename).name}, line {frame.lineno})"
    return text
