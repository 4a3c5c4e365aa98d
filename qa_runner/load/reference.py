"""A function of the author's by name: what travels to the generator instead of any code."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import msgspec

__all__ = ["Reference", "find_function", "refer_to"]


class Reference(msgspec.Struct, frozen=True, kw_only=True, tag="reference"):
    """The function ``name`` at the top of ``module``.

    ``folder`` is where the first word of ``module`` is found: the folder of that package itself
    (with its ``__init__.py``), whatever the folder is called, or the one that holds the module.
    """

    folder: str
    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module.rpartition('.')[2]}.{self.name}"


def refer_to(function: Callable[..., Any]) -> Reference:
    """A reference to a function at the top of a module of a file; raises ValueError for others."""
    kind = getattr(function, "__qualname__", type(function).__name__)
    if not isinstance(function, FunctionType) or not kind.isidentifier():
        raise ValueError(
            f"{kind} can't be used here: what is called by the load generator must be a function "
            "at the top of a module (no lambda, method, or function within another)"
        )
    module, name = function.__module__, function.__name__
    root = sys.modules.get(module.partition(".")[0])
    path = getattr(root, "__file__", None)
    if module == "__main__" or path is None:
        raise ValueError(f"the function {name} must be in a module with a file, not in {module}")
    return Reference(folder=str(Path(path).resolve().parent), module=module, name=name)


def find_function(reference: Reference) -> Callable[..., Any]:
    """The function, importing its module if that has not happened yet; ``sys.path`` stays as is.

    Raises ValueError, in one line, if there is no such module or function, or if importing it
    fails in whatever way.
    """
    try:
        # What it prints must not get in the way of what is printed for programs.
        with contextlib.redirect_stdout(sys.stderr):
            module = _import(reference)
    # It is anybody's code: whatever it raises, and exit() too, is told in a line.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        said = " ".join(str(error).split())
        cause = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise ValueError(f"{reference} in {reference.folder} can't be imported: {cause}") from None
    function = getattr(module, reference.name, None)
    if not inspect.isfunction(function):
        raise ValueError(f"{reference} in {reference.folder} is no function of that module")
    return function


def _import(reference: Reference) -> ModuleType:
    folder = Path(reference.folder).resolve()
    root = reference.module.partition(".")[0]
    if root not in sys.modules:
        _mount(root, folder, inside="." in reference.module)
    path = getattr(sys.modules[root], "__file__", None)
    if path is None or Path(path).resolve().parent != folder:
        raise ImportError(f"there is another module {root}, {path or 'built in'}")
    return importlib.import_module(reference.module)


def _mount(root: str, folder: Path, *, inside: bool) -> None:
    """Import a package (certainly one if the module is ``inside``) or module under this name."""
    start = folder / "__init__.py"
    search: list[str] | None = [str(folder)]
    single = folder / f"{root}.py"
    # A module can lie in a folder that is a package too, and a package can have one of its name.
    if single.is_file() and not inside and folder.name != root:
        start, search = single, None
    if not start.is_file():
        raise FileNotFoundError("no such file")
    spec = importlib.util.spec_from_file_location(root, start, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise ImportError("not a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[root] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        for loaded in [name for name in sys.modules if f"{name}.".startswith(f"{root}.")]:
            del sys.modules[loaded]
        raise
