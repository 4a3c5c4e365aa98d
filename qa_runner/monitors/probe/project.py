"""Opens the Django project that the probe was started for."""

from __future__ import annotations

import os
import sys

from .failure import ProbeFailure, one_line

__all__ = ["load_apps", "load_settings"]

_OLDEST = (3, 2)


def load_settings(settings_module: str, python_path: list[str]) -> None:
    """Import the settings.

    Raises ProbeFailure, with the remedy, if Django is missing or too old, or if the settings
    cannot be imported.
    """
    sys.path[:0] = [path for path in python_path if path not in sys.path]
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    try:
        import django  # noqa: PLC0415 (its absence is what is found out here)
    except ImportError as error:
        raise ProbeFailure(
            f"Django cannot be imported by {sys.executable} ({one_line(error)}): give the "
            "interpreter that the server runs with"
        ) from None
    if django.VERSION[:2] < _OLDEST:
        raise ProbeFailure(
            f"Django {django.get_version()} is older than {_OLDEST[0]}.{_OLDEST[1]}, the oldest "
            "that the database probe supports"
        )
    from django.conf import settings  # noqa: PLC0415 (as above)

    try:
        settings.DEBUG  # noqa: B018 (reading one imports the module)
    except Exception as error:  # noqa: BLE001 (settings are code and raise anything)
        raise ProbeFailure(
            f"settings {settings_module} cannot be imported: {one_line(error)}; check the "
            "settings module, the Python path and the environment of the project"
        ) from None


def load_apps(settings_module: str) -> None:
    """Load the apps that the settings name. Raises ProbeFailure if one cannot be imported."""
    import django  # noqa: PLC0415 (as above)

    try:
        django.setup()
    except Exception as error:  # noqa: BLE001 (apps are code and raise anything)
        raise ProbeFailure(
            f"the apps of {settings_module} cannot be loaded: {one_line(error)}"
        ) from None
