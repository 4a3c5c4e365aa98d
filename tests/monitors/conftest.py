"""A fresh database for each test, and processes that do not outlive it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from monitors_site import FOLDER, MIGRATE, PYTHON, Site


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "site.sqlite3"
    subprocess.run(
        [PYTHON, "-B", "-c", MIGRATE],
        cwd=FOLDER,
        env={"DJANGO_SETTINGS_MODULE": "site_settings", "SITE_DATABASE": str(path)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return path


@pytest.fixture
def site(migrated: Path, tmp_path: Path) -> Site:
    path = tmp_path / "site.sqlite3"
    shutil.copy(migrated, path)
    return Site(path)


@pytest.fixture
def started() -> Iterator[Callable[[list[str]], subprocess.Popen[str]]]:
    """Starts processes, and ends those that a test left."""
    processes: list[subprocess.Popen[str]] = []

    def start(command: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
