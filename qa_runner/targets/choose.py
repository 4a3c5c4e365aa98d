"""Which target a run has, and opening it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qa_runner.errors import UnknownName, UsageError
from qa_runner.targets.embedded import EmbeddedTarget
from qa_runner.targets.faults import validate_faults
from qa_runner.targets.target import Target
from qa_runner.targets.url import url_target

__all__ = ["DEMO", "check_target", "open_target"]

DEMO = "demo"


def check_target(option: str, faults: Sequence[str]) -> None:
    """Check ``--target`` and ``--fault`` before anything is started.

    Raises UsageError (UnknownName for a target or a fault that there is not).
    """
    validate_faults(faults)
    if option == DEMO:
        return
    if "://" not in option and ":" in option:
        raise UsageError(f"unknown target '{option}'; a URL begins with http://: http://{option}")
    if "://" not in option:
        raise UnknownName("target", option, (DEMO, "a URL such as http://127.0.0.1:8000"))
    if faults:
        raise UsageError(
            f"--fault works with the embedded target only, not with {option}; "
            "leave out --fault, or use --target demo"
        )


@contextmanager
def open_target(name: str, url: str, faults: Sequence[str], folder: Path) -> Iterator[Target]:
    """The target of a run, started in ``folder`` if it is the embedded one, and ended at exit.

    Raises UsageError for a URL that is not usable, TargetError if nobody answers there or the
    embedded target does not start.
    """
    if name == DEMO:
        with EmbeddedTarget(folder, faults=faults) as target:
            yield target
    else:
        yield url_target(url)
