"""Environment variables that the settings of a project read, found in their text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from qa_runner.configuration.proposal.finding import Finding

__all__ = ["settings_variables", "variable_findings"]

# With os alone, and with django-environ, environs and python-decouple.
_READ = re.compile(
    r"""\b(?:environ(?:\.get)?|getenv|env(?:\.\w+)?|config)\s*[\[(]\s*["']([A-Z][A-Z0-9_]*)["']"""
)
_MOST_FILES = 20


def settings_variables(project: Path, module: str) -> list[str]:
    """The variables that ``module``, or the modules beside it in a settings package, read."""
    if not module:
        return []
    place = project.joinpath(*module.split("."))
    files = [place.with_suffix(".py"), *sorted(place.glob("*.py"))]
    if place.parent.name == "settings":
        files += sorted(place.parent.glob("*.py"))
    found: dict[str, None] = {}
    for path in files[:_MOST_FILES]:
        try:
            text = path.read_text("utf-8", errors="replace")
        except OSError:
            continue
        found |= dict.fromkeys(_READ.findall(text))
    return list(found)


def variable_findings(
    names: list[str], server: Mapping[str, str], shell: Mapping[str, str]
) -> list[Finding]:
    """Those of ``names`` that the running ``server`` has and the ``shell`` has not, or otherwise.

    Without them the project would open under other settings, perhaps another database. Their
    values may be secrets and are not shown.
    """
    return [
        Finding(
            name,
            "",
            "missing",
            "the running server has "
            + ("it, this shell has not" if name not in shell else "another value")
            + f": export {name}=... and see environment of the project in the file",
        )
        for name in names
        if name in server and server[name] != shell.get(name)
    ]
