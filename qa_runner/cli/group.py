"""The command itself: what all its commands share, and how errors become exit codes."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from qa_runner import __version__
from qa_runner.errors import QaRunnerError, StopRequested

__all__ = [
    "AS_JSON",
    "CONFIG",
    "CONFIRM",
    "DATABASE_URL",
    "EXIT_CODES",
    "FORMATS",
    "INCONCLUSIVE",
    "JSON",
    "OPEN",
    "OUTPUT",
    "QUIET",
    "TARGET",
    "fail",
    "main",
    "print_json",
]

EXIT_CODES = """\b
Exit codes: 0 passed · 1 criteria failed · 2 usage, configuration or output ·
3 stopped for safety · 4 inconclusive or could not run · 130 interrupted"""

OUTPUT = click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for runs.  [default: artifacts, or as configured]",
)
TARGET = click.option(
    "--target",
    metavar="NAME|URL",
    help="A target of the configuration, the URL of the API, or demo.  "
    "[default: demo, or as configured]",
)
CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration.  [default: qa-runner.toml here or above]",
)
DATABASE_URL = click.option(
    "--database-url",
    default="",
    metavar="URL",
    help="PostgreSQL server for the demo: postgresql://USER:PASSWORD@HOST/DB. It makes a database "
    "of its own there and drops it at the end. Without a password: PGPASSWORD or ~/.pgpass.",
)
CONFIRM = click.option(
    "--confirm",
    default="",
    metavar="HOST",
    help="The host of a target in a protected environment, such as production, typed again.",
)
OPEN = click.option("--open", "open_report", is_flag=True, help="Open the report in a browser.")
QUIET = click.option("--quiet", "-q", is_flag=True, help="Only the verdict and the report's path.")
JSON = click.option("--json", "as_json", is_flag=True, help="run.json on stdout, nothing else.")
FORMATS = click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORM,...",
    help="What to write into the run folder, several with commas: html, junit, ctrf, markdown, csv "
    "(samples, series, criteria), json.  [default: html]",
)
INCONCLUSIVE = click.option(
    "--inconclusive",
    type=click.Choice(["skipped", "failure"]),
    default="skipped",
    show_default=True,
    help="What INCONCLUSIVE is in junit and ctrf.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Group(click.Group):
    """Turns the errors of qa-runner into one line and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        for stream in (sys.stdout, sys.stderr):
            # What a terminal in another encoding cannot show must not end a command.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except QaRunnerError as error:
            fail(str(error), error.exit_code)
        except StopRequested as stop:
            fail(f"interrupted {stop}".strip(), stop.exit_code)
        except KeyboardInterrupt:
            fail("interrupted", StopRequested.exit_code)
        except BrokenPipeError:
            # The reader of our output has left (head, less): nothing to say, nobody to say it to.
            _discard_output()
            sys.exit(StopRequested.exit_code)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            _discard_output()
            fail(f"cannot write the output: {error.strerror}; make room for it", 2)


def _discard_output() -> None:
    """What is still buffered cannot be written; Python would say so, and fail, at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def fail(message: str, code: int) -> NoReturn:
    """Say on stderr, in one line, what is wrong, and exit."""
    from qa_runner.redaction import mask_known  # noqa: PLC0415
    from qa_runner.report.text import visible  # noqa: PLC0415

    # Also what a server said may be in it: nothing that a terminal or GitHub would obey.
    line = visible(mask_known(" ".join(message.split()))).replace("##[", "## [")
    click.echo(click.style("Error: ", fg="red") + line, err=True, color=_colour(sys.stderr))
    sys.exit(code)


def _colour(stream: Any) -> bool | None:
    """Whether to colour: never with NO_COLOR, else where the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") else stream.isatty()


@click.group(
    cls=_Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="qa-runner")
def main() -> None:
    """Run performance test cases, judge each criterion, render one report."""


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    import json  # noqa: PLC0415

    from qa_runner.redaction import mask_known  # noqa: PLC0415

    click.echo(mask_known(json.dumps(value, indent=2, ensure_ascii=False)))
