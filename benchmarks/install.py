"""The peers that registries have, each in a place of its own under the cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["install"]

DEBIAN = {"ab": "apache2-utils", "wrk": "wrk", "hey": "hey", "nginx": "nginx-light", "cc": "gcc"}
"""Programs that are looked for on the PATH, and the packages that have them."""
PYTHON = ("locust", "k6")
NODE = ("autocannon",)
_SECONDS = 600
_SYSTEM_PATH = "/usr/sbin:/usr/local/sbin"


def install(cache: Path, *, debian: bool) -> list[str]:
    """Install what is missing, and return what could not be, in words.

    Debian's packages only if ``debian``, since they go to the whole machine and need root. PyPI's
    go into a virtual environment, npm's into ``node_modules``, both in ``cache``.
    """
    cache.mkdir(parents=True, exist_ok=True)
    return [*_from_debian(install_them=debian), *_from_pypi(cache), *_from_npm(cache)]


def _from_debian(*, install_them: bool) -> list[str]:
    missing = {
        program: package
        for program, package in DEBIAN.items()
        if shutil.which(program) is None and shutil.which(program, path=_SYSTEM_PATH) is None
    }
    if not missing:
        return []
    packages = " ".join(missing.values())
    if not install_them:
        return [f"{', '.join(missing)}: not installed (apt-get install {packages}, or --debian)"]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return [f"{', '.join(missing)}: --debian needs apt-get and root"]
    updated = _run(["apt-get", "update", "-q"])
    return updated or _run(["apt-get", "install", "-q", "-y", *missing.values()])


def _from_pypi(cache: Path) -> list[str]:
    place = cache / "peers"
    if all((place / "bin" / program).exists() for program in PYTHON):
        return []
    if not (place / "bin" / "python").exists():
        failed = _run([sys.executable, "-m", "venv", str(place)])
        if failed:
            return failed
    return [
        word
        for package in PYTHON
        for word in _run([str(place / "bin" / "python"), "-m", "pip", "install", "-q", package])
    ]


def _from_npm(cache: Path) -> list[str]:
    if (cache / "node_modules" / ".bin" / "autocannon").exists():
        return []
    if shutil.which("npm") is None:
        return [f"{', '.join(NODE)}: needs Node.js and npm"]
    return _run(["npm", "install", "--silent", "--no-audit", "--prefix", str(cache), *NODE])


def _run(command: list[str]) -> list[str]:
    """Nothing, or the last thing that a command said before it failed."""
    sys.stderr.write(f"$ {' '.join(command)}\n")
    try:
        done = subprocess.run(  # noqa: S603 (installers with the packages named above)
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"{command[-1]}: {error}"]
    if done.returncode == 0:
        return []
    lines = (done.stderr or done.stdout).strip().splitlines()
    return [f"{command[-1]}: {lines[-1][:200] if lines else f'exit code {done.returncode}'}"]
