"""What the commands take from qa-runner.toml where their options say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa_runner.configuration.schema import Configuration

__all__ = ["Configured", "configured", "output_folder", "working_folder"]


@dataclass(frozen=True, slots=True)
class Configured:
    """The configuration, and the target and the folder for runs that hold with the options."""

    configuration: Configuration
    target: str
    output: Path


def configured(
    config: Path | None, target: str | None = None, output: Path | None = None
) -> Configured:
    """Read the configuration; ``target`` and ``output`` outrank what it says.

    Raises UsageError for a file that cannot be read or has a mistake.
    """
    from qa_runner.configuration.reading import load_configuration  # noqa: PLC0415
    from qa_runner.settings import DEFAULT_OUTPUT  # noqa: PLC0415

    configuration = load_configuration(config, working_folder())
    return Configured(
        configuration,
        configuration.default_target if target is None else target,
        output or configuration.output or DEFAULT_OUTPUT,
    )


def working_folder() -> Path:
    """The folder that the command runs in. Raises UsageError if it is gone."""
    from qa_runner.errors import UsageError  # noqa: PLC0415

    try:
        return Path.cwd()
    except OSError:
        raise UsageError("the working folder is gone; change into one that is there") from None


def output_folder(output: Path | None) -> Path:
    """The folder for runs, of a command that needs nothing else from the configuration."""
    return output or configured(None).output
