"""Every exception that qa-runner raises on purpose, with the exit code it leads to.

::

    QaRunnerError                    4
    ├── UsageError                   2   the words of the command are off
    │   ├── UnknownName              2   no such case, step, part, parameter, profile or fault
    │   ├── TestCaseError            2   a test case that cannot be loaded
    │   │   └── CriterionError       2   a criterion that does not parse or names an unknown metric
    │   ├── OutputError              2   the output folder cannot be written
    │   ├── RunFolderError           2   a run that is missing, damaged or of a newer schema
    │   └── PortTaken                2   the port asked for is in use
    ├── SafetyStop                   3   load was stopped to protect the target
    └── CouldNotRun                  4   what the run needs is not there
        ├── TargetError              4   the target is unreachable or does not answer as an API
        ├── GeneratorError           4   the process that sends load failed
        ├── CalibrationError         4   the load generator could not be calibrated
        └── ProbeError               4   the database probe failed

    StopRequested (BaseException)  130   the user asked to stop; not an Exception, so that no
                                         ``except Exception`` of a step swallows it

The message of each is one line that says what is wrong, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "CalibrationError",
    "CouldNotRun",
    "CriterionError",
    "GeneratorError",
    "OutputError",
    "PortTaken",
    "ProbeError",
    "QaRunnerError",
    "RunFolderError",
    "SafetyStop",
    "StopRequested",
    "TargetError",
    "TestCaseError",
    "UnknownName",
    "UsageError",
]


class QaRunnerError(Exception):
    """Base of all errors that end a command with one clear line."""

    exit_code = 4


class UsageError(QaRunnerError):
    """The options, the configuration or the output folder are not usable."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that is not among the valid ones; the message lists them."""

    def __init__(self, kind: str, name: str, valid: Iterable[str]) -> None:
        choices = list(valid)
        by_folded = {choice.casefold(): choice for choice in choices}
        close = get_close_matches(name.casefold(), by_folded, n=1)
        hint = f" Did you mean {by_folded[close[0]]}?" if close else ""
        listed = ", ".join(choices) if choices else "none"
        super().__init__(f"unknown {kind} '{name}'.{hint} Valid: {listed}")
        self.kind = kind
        self.name = name


class TestCaseError(UsageError):
    """A test case that cannot be loaded."""

    __test__ = False  # not a pytest class


class CriterionError(TestCaseError):
    """A criterion that does not parse or that names an unknown metric or aggregate."""


class OutputError(UsageError):
    """The output folder cannot be created or written."""


class RunFolderError(UsageError):
    """A stored run that cannot be found or read."""


class PortTaken(UsageError):
    """The port asked for is already in use."""


class SafetyStop(QaRunnerError):
    """Load was stopped to protect the target."""

    exit_code = 3


class CouldNotRun(QaRunnerError):
    """Something that the run needs is not there."""


class TargetError(CouldNotRun):
    """The target is unreachable, or what answers is not the API under test."""


class GeneratorError(CouldNotRun):
    """The process that sends the load could not be started or has ended."""


class CalibrationError(CouldNotRun):
    """The load generator could not be measured against the stub server."""


class ProbeError(CouldNotRun):
    """The database probe could not be started or has ended."""


class StopRequested(BaseException):
    """The user asked to stop (Ctrl-C, SIGTERM)."""

    exit_code = 130
