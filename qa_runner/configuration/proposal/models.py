"""Models of a project whose names resemble those that a test case reads; by text, unimported."""

from __future__ import annotations

import ast
import itertools
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["resembling_models"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MOST_FOLDERS = 2000
_SKIPPED = frozenset({"node_modules", "site-packages", "migrations", "tests", "__pycache__"})
_MOST_LISTED = 3
_DEFAULT_USER = "auth.User"
# What the things of a shop are called elsewhere.
_ALIKE = {
    "transaction": ("payment", "purchase", "order", "charge"),
    "user": ("member", "customer", "student", "person", "client"),
    "balance": ("wallet", "credit", "account"),
}


def resembling_models(project: Path, roles: Mapping[str, str]) -> dict[str, list[str]]:
    """For each role of a test case the models that may play it, best first, three at most.

    ``roles`` are its models by role: {"transactions": "finances.PurchaseTransaction"}. A model
    resembles one if its name shares words with the role or with the model's name. A role whose
    own model exists in the project is left out; without any, users are Django's own.
    """
    if not roles:
        return {}
    defined = list(dict.fromkeys(_models(project)))
    close: dict[str, list[tuple[float, str]]] = {role: [] for role in roles}
    for name in defined:
        # A StudentBalance is a balance, and no user.
        score, role = max((_score(name, role, model), role) for role, model in roles.items())
        if score:
            close[role].append((-score, name))
    found = {role: [name for _, name in sorted(close[role])[:_MOST_LISTED]] for role in roles}
    for role in roles:
        if not found[role] and "user" in _words(role):
            found[role] = [_DEFAULT_USER]
    return {role: names for role, names in found.items() if names and roles[role] not in defined}


def _score(name: str, role: str, model: str) -> float:
    """How much ``name`` resembles; 0 if not at all. Of two alike the shorter name comes first.

    The role itself counts most, then what it is called elsewhere, then the case's own model.
    """
    words = _words(name.rpartition(".")[2])
    of_role = _words(role)
    alike = {other for word in of_role for other in _ALIKE.get(word, ())}
    shared = (
        3 * len(words & of_role)
        + 2 * len(words & alike)
        + len(words & _words(model.rpartition(".")[2]) - of_role)
    )
    return shared - 0.1 * len(words) if shared else 0.0


def _models(project: Path) -> Iterator[str]:
    """``app.Model`` of what looks like one: a class in a models module with bases."""
    for path in sorted(_model_files(project)):
        app = path.parent if path.name == "models.py" else path.parent.parent
        try:
            with warnings.catch_warnings(action="ignore"):  # about escapes in their strings
                tree = ast.parse(path.read_bytes())
        # Another Python's syntax, no text at all, nested too deeply: no models to be seen.
        except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.bases and not _is_abstract(node):
                yield f"{_label(app)}.{node.name}"


def _model_files(project: Path) -> Iterator[Path]:
    for place, folders, files in itertools.islice(os.walk(project), _MOST_FOLDERS):
        folder = Path(place)
        # A virtual environment has a pyvenv.cfg; hidden folders are nobody's apps.
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not (folder / name / "pyvenv.cfg").exists()
        )
        for name in files:
            if name == "models.py" or (folder.name == "models" and name.endswith(".py")):
                yield folder / name


def _is_abstract(node: ast.ClassDef) -> bool:
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name == "Meta":
            return "abstract = True" in ast.unparse(inner)
    return False


def _label(app: Path) -> str:
    """The app's label: what its apps.py says, or the name of its folder."""
    try:
        text = (app / "apps.py").read_text("utf-8", errors="replace")
    except OSError:
        return app.name
    match = re.search(r"""^\s+label\s*=\s*["'](\w+)["']""", text, re.MULTILINE)
    return match[1] if match else app.name


def _words(name: str) -> set[str]:
    """The words of a name like PurchaseTransactions, each in lower case and singular."""
    return {word.casefold().removesuffix("s") for word in _WORD.findall(name)}
