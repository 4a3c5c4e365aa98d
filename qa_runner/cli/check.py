"""The command that checks a target without a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa_runner.cli.group import CONFIG, CONFIRM, DATABASE_URL, EXIT_CODES, TARGET, print_json

if TYPE_CHECKING:
    from qa_runner.configuration.schema import Configuration

__all__ = ["check"]

_FORMATS = ("text", "json")


@click.command(epilog=EXIT_CODES)
@click.argument("case", required=False)
@TARGET
@CONFIG
@CONFIRM
@DATABASE_URL
@click.option("--profile", default="full", metavar="full|smoke", help="Values of this profile.")
@click.option(
    "--step", "steps", multiple=True, metavar="N", help="As for run: what is to be measured."
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="case.PARAMETER=VALUE",
    help="As for run: case.path=/api/purchase/; repeatable.",
)
@click.option("--format", "format_", default="text", show_default=True, metavar="text|json")
@click.option("--quiet", "-q", is_flag=True, help="Only warnings and failures.")
def check(  # noqa: PLR0917 (click passes options by name)
    case: str | None,
    target: str | None,
    config: Path | None,
    confirm: str,
    database_url: str,
    profile: str,
    steps: tuple[str, ...],
    assignments: tuple[str, ...],
    format_: str,
    quiet: bool,  # noqa: FBT001
) -> None:
    """Check whether CASE can be run against the target, and what it will not measure.

    CASE may be left out if there is one only. Its request is sent once; what that writes stays.
    Notes and warnings end with 0, what would spoil the run with 4.
    """
    from qa_runner.check_result import Level  # noqa: PLC0415
    from qa_runner.checking import check as check_alone  # noqa: PLC0415
    from qa_runner.cli.configured import configured  # noqa: PLC0415
    from qa_runner.console import make_console  # noqa: PLC0415
    from qa_runner.console_checks import print_check, print_outcome  # noqa: PLC0415
    from qa_runner.errors import UnknownName  # noqa: PLC0415
    from qa_runner.settings import RunSettings  # noqa: PLC0415
    from qa_runner.stop import StopToken, stop_on_signals  # noqa: PLC0415

    if format_ not in _FORMATS:
        raise UnknownName("format", format_, _FORMATS)
    found = configured(config, target)
    settings = RunSettings(
        case=case or _only_case(found.configuration),
        configuration=found.configuration,
        target=found.target,
        target_named=target is not None,
        confirm=confirm,
        profile=profile,
        steps=steps,
        assignments=assignments,
        database_url=database_url,
    )
    console = make_console(sys.stdout)
    stop = StopToken()
    text = format_ == "text"
    with stop_on_signals(stop):
        results = check_alone(
            settings,
            stop,
            lambda result: print_check(console, result, quiet=quiet) if text else None,
        )
    failed = any(result.level is Level.FAILURE for result in results)
    if text:
        print_outcome(console, results, settings.case, settings.target)
    else:
        import msgspec  # noqa: PLC0415

        shown = [r for r in results if not quiet or r.level in {Level.WARNING, Level.FAILURE}]
        print_json({"ok": not failed, "checks": msgspec.to_builtins(shown)})
    sys.exit(4 if failed else 0)


def _only_case(configuration: Configuration) -> str:
    """The case that is meant where none is named: the one that is configured, or there at all.

    Raises UsageError, listing them, if there are several.
    """
    from qa_runner import discovery  # noqa: PLC0415
    from qa_runner.errors import UsageError  # noqa: PLC0415

    cases = list(configuration.cases) or [case.id for case in discovery.discover().cases]
    if len(cases) == 1:
        return cases[0]
    raise UsageError(f"name the test case to check for: {', '.join(cases) or 'there is none'}")
