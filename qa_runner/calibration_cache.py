"""A calibration is measured once for a machine and kept for some days in the user's cache folder.

What is kept holds for the same machine, Python, event loop, version and source of the engine.
Nothing depends on it: what cannot be read is measured again, what cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from qa_runner import __version__
from qa_runner.calibration import Calibration
from qa_runner.load.calibrate import calibrate
from qa_runner.load.process import GeneratorProcess
from qa_runner.stop import StopToken

__all__ = ["cache_folder", "calibrated", "calibrated_anew", "kept_calibration"]

VALID = timedelta(days=7)
VALID_WHILE_BUSY = timedelta(minutes=10)
"""A machine that was too busy may not be so for long."""


def calibrated(
    generator: GeneratorProcess, stop: StopToken, measuring: Callable[[], None]
) -> Calibration:
    """The calibration of a running generator that sends nothing: from the cache, or measured.

    ``measuring`` is called before it is measured. Raises what
    :func:`qa_runner.load.calibrate.calibrate` does.
    """
    kept = kept_calibration()
    if kept is not None:
        return kept
    measuring()
    return calibrated_anew(generator, stop)


def kept_calibration() -> Calibration | None:
    """The calibration of an earlier run on this machine, as long as it is valid."""
    return _read(_file(), datetime.now().astimezone())


def calibrated_anew(generator: GeneratorProcess, stop: StopToken) -> Calibration:
    """As :func:`calibrated`, but measured in any case."""
    found = calibrate(generator, stop)
    _write(_file(), found)
    return found


def _file() -> Path:
    return cache_folder() / f"calibration-{_machine()}.json"


def _write(path: Path, calibration: Calibration) -> None:
    """Keep it for the runs to come, if that can be done."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(msgspec.json.encode(calibration))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def _read(path: Path, now: datetime) -> Calibration | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Calibration)
        age = now - datetime.fromisoformat(kept.measured)
    except (OSError, ValueError, TypeError):
        # Not there, not readable, damaged (msgspec's errors are ValueErrors), or of no time zone.
        return None
    valid = VALID_WHILE_BUSY if kept.problem else VALID
    if not timedelta(0) <= age <= valid:
        return None
    return msgspec.structs.replace(kept, from_cache=True)


def cache_folder() -> Path:
    """Where this user's caches lie: QA_RUNNER_CACHE, or as the platform has it."""
    own = os.environ.get("QA_RUNNER_CACHE")
    if own:
        return Path(own)
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / "qa-runner"
    # A relative path is to be ignored, says the XDG Base Directory Specification.
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else _home() / ".cache") / "qa-runner"


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home() raises where there is none)


def _machine() -> str:
    """A name for all that a calibration depends on; 20 hexadecimal digits."""
    facts = (
        platform.node(),
        _processor(),
        str(os.cpu_count()),
        platform.platform(),
        platform.python_implementation() + platform.python_version(),
        _version("uvloop"),
        _version("httptools"),
        __version__,
        _engine(),
    )
    return hashlib.sha256("\n".join(facts).encode("utf-8", "replace")).hexdigest()[:20]


def _processor() -> str:
    """The model of the CPU."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "darwin":
            return subprocess.run(
                ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
                capture_output=True,
                text=True,
                timeout=5,
                check=True,
            ).stdout.strip()
        listed = Path("/proc/cpuinfo").read_text("utf-8", "replace")
        if model := re.search(r"^model name\s*:\s*(.+)$", listed, re.MULTILINE):
            return model[1]
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _engine() -> str:
    """A digest of the engine's source: another one is as another machine."""
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parent / "load").glob("*.py")):
        with contextlib.suppress(OSError):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
