"""Where test cases come from: a path, ``./testcases``, entry points, the bundled ones.

Each folder is mounted as a package of its own under a made-up name, so that relative imports
work and ``sys.path`` stays as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from qa_runner.data_folder import data_folder
from qa_runner.definition import CaseDefinition, define
from qa_runner.errors import TestCaseError, UnknownName
from qa_runner.testcase import TestCase

__all__ = ["Catalogue", "discover", "find"]

ENTRY_POINT_GROUP = "qa_runner.testcases"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The cases found, and for each broken folder the line that says what is wrong with it."""

    cases: tuple[CaseDefinition, ...]
    broken: tuple[tuple[str, TestCaseError], ...]


def discover() -> Catalogue:
    """All cases; of two with one id the first found wins. A broken folder breaks nothing else.

    A folder that is broken hides a later case of its name too, so that nobody runs the bundled
    case who has a mistake in a copy of it.
    """
    cases: dict[str, CaseDefinition] = {}
    places: dict[str, Path] = {}
    folders, broken = _folders()
    for folder in folders:
        try:
            found = load_folder(folder)
        except TestCaseError as error:
            broken.append((folder.name, error))
        else:
            first = places.get(found.id.casefold())
            if first is not None:
                # Whole paths: a copy of a case has the name of its folder too.
                said = f"has the id {found.id} of {first}, which comes first"
                broken.append((folder.name, TestCaseError(f"{folder} {said}")))
            elif _squeezed(found.id) not in {_squeezed(name) for name, _ in broken}:
                cases[found.id.casefold()] = found
                places[found.id.casefold()] = folder
    return Catalogue(tuple(sorted(cases.values(), key=lambda case: case.id)), tuple(broken))


def find(name: str) -> CaseDefinition:
    """The case with this id (case-insensitive), or in this folder if ``name`` is a path.

    Raises TestCaseError if it is broken, UnknownName if there is none.
    """
    if "/" in name and Path(name).is_dir():
        return load_folder(Path(name))
    catalogue = discover()
    for case in catalogue.cases:
        if case.id.casefold() == name.casefold():
            return case
    wanted = _squeezed(name)
    for folder, error in catalogue.broken:
        if _squeezed(folder) == wanted:
            raise error
    unknown = UnknownName("test case", name, [case.id for case in catalogue.cases])
    if catalogue.broken:
        left_out = "; ".join(str(error) for _, error in catalogue.broken)
        raise TestCaseError(f"{unknown}. Left out: {left_out}")
    raise unknown


def _squeezed(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _folders() -> tuple[list[Path], list[tuple[str, TestCaseError]]]:
    """Folders that may hold a case, in the order of precedence, and places that cannot be read."""
    roots = [Path.cwd() / "testcases"]
    broken: list[tuple[str, TestCaseError]] = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            spec = importlib.util.find_spec(point.module)
        # Looking a module up imports the package it is in, which is anybody's code.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
            broken.append((point.name, TestCaseError(f"entry point {point.value}: {cause}")))
            continue
        if spec and spec.submodule_search_locations:
            roots.extend(Path(location) for location in spec.submodule_search_locations)
    roots.append(data_folder("testcases"))
    folders: list[Path] = []
    for root in roots:
        try:
            if not root.is_dir():
                continue
            for folder in sorted(root.iterdir()):
                if (folder / "__init__.py").is_file() and folder.resolve() not in folders:
                    folders.append(folder.resolve())
        except OSError as error:
            broken.append((root.name, TestCaseError(f"{error.filename}: {error.strerror}")))
    return folders, broken


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
    cases = {
        value: None  # a dict keeps the order, and a second name of one class adds nothing
        for value in vars(sys.modules[name]).values()
        if inspect.isclass(value) and issubclass(value, TestCase) and value is not TestCase
    }
    if len(cases) != 1:
        found = "none" if not cases else ", ".join(case.__name__ for case in cases)
        raise TestCaseError(f"{origin}/__init__.py must define one TestCase; found: {found}")
    try:
        return define(next(iter(cases)), origin)
    except TestCaseError:
        raise
    # Its attributes may hold anything.
    except Exception as error:  # noqa: BLE001
        raise TestCaseError(f"{origin} is not valid: {_where(error, folder, name)}") from None


def _mount(name: str, start: Path, folder: Path, origin: str) -> None:
    spec = importlib.util.spec_from_file_location(
        name, start, submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise TestCaseError(f"{origin} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # What it prints must not get into the output of --json.
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    # A case is anybody's code: whatever it raises, and exit() too, must not end the command.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        for loaded in [n for n in sys.modules if n == name or n.startswith(f"{name}.")]:
            del sys.modules[loaded]
        raise TestCaseError(f"{origin} cannot be imported: {_where(error, folder, name)}") from None


def _where(error: BaseException, folder: Path, mounted: str) -> str:
    """The error in one line, with the file and line in the case that it came from."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{kind}: {error.msg} ({Path(error.filename).name}, line {error.lineno})"
    message = " ".join(str(error).split()).replace(mounted, folder.name)
    text = f"{kind}: {message or 'no message'}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f"{text} ({Path(frame.filename).name}, line {frame.lineno})"
    return text
