"""The Django project: where its manage.py is, and which settings it names."""

from __future__ import annotations

import re
from pathlib import Path

from qa_runner.errors import UsageError

__all__ = ["find_project", "settings_of"]

_MANAGE = "manage.py"
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_MOST_LISTED = 10


def find_project(start: Path) -> Path | None:
    """The folder of the nearest manage.py: in ``start``, above it, or one level below it.

    Raises UsageError, listing them, if there are several one level below.
    """
    for folder in (start, *start.parents):
        if _has_manage(folder):
            return folder
    below = [folder for folder in _one_level_below(start) if _has_manage(folder)]
    if len(below) > 1:
        listed = ", ".join(str(folder.relative_to(start)) for folder in below[:_MOST_LISTED])
        raise UsageError(
            f"several Django projects below {start}: {listed}; choose one with --project"
        )
    return below[0] if below else None


def settings_of(project: Path) -> str:
    """The settings module that manage.py sets; empty if it does not say."""
    try:
        text = (project / _MANAGE).read_text("utf-8", errors="replace")
    except OSError:
        return ""
    match = _SETTINGS.search(text)
    return match[1] if match else ""


def _one_level_below(start: Path) -> list[Path]:
    try:
        return sorted(start.iterdir())
    except OSError:
        return []


def _has_manage(folder: Path) -> bool:
    try:
        return (folder / _MANAGE).is_file()
    except OSError:
        return False  # a folder of somebody else
