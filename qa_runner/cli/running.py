"""The commands that run a test case: run, rerun."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from qa_runner.cli.actions import inert_output, tell_actions
from qa_runner.cli.group import (
    CONFIG,
    CONFIRM,
    DATABASE_URL,
    EXIT_CODES,
    FORMATS,
    INCONCLUSIVE,
    JSON,
    OPEN,
    OUTPUT,
    QUIET,
    TARGET,
    fail,
)
from qa_runner.errors import StopRequested

if TYPE_CHECKING:
    from qa_runner.result import RunResult
    from qa_runner.runner import Runner

__all__ = ["exit_code", "rerun", "run"]


@click.command(epilog=EXIT_CODES)
@click.argument("case")
@TARGET
@CONFIG
@CONFIRM
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME",
    help="Fault of the demo (demo --help lists them); repeatable.",
)
@click.option(
    "--profile",
    default="full",
    show_default=True,
    metavar="full|smoke",
    help="full: the times of the text; smoke: shortened, under 90 s.",
)
@click.option(
    "--step", "steps", multiple=True, metavar="N", help="Only step 3, or part 3.2; repeatable."
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PART.PARAMETER=VALUE",
    help="3.1.requests=8, 3.1.limit.duration=10s, case.plan_id=2; repeatable.",
)
@DATABASE_URL
@OUTPUT
@click.option("--cleanup", is_flag=True, help="Remove the rows that this run created.")
@FORMATS
@INCONCLUSIVE
@OPEN
@QUIET
@JSON
def run(  # noqa: PLR0917 (click passes options by name)
    case: str,
    target: str | None,
    config: Path | None,
    confirm: str,
    faults: tuple[str, ...],
    profile: str,
    steps: tuple[str, ...],
    assignments: tuple[str, ...],
    database_url: str,
    output: Path | None,
    cleanup: bool,  # noqa: FBT001
    formats: tuple[str, ...],
    inconclusive: str,
    open_report: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run CASE and render its report."""
    from qa_runner.cli.configured import configured  # noqa: PLC0415
    from qa_runner.report.forms.registry import chosen  # noqa: PLC0415
    from qa_runner.settings import RunSettings  # noqa: PLC0415

    # What is misspelt is said before any load is sent.
    forms = chosen(formats)
    found = configured(config, target, output)
    settings = RunSettings(
        case=case,
        configuration=found.configuration,
        target=found.target,
        target_named=target is not None,
        confirm=confirm,
        faults=faults,
        profile=profile,
        steps=steps,
        assignments=assignments,
        output=found.output,
        found_with=_typed(("--config", config), ("--output", output)),
        cleanup=cleanup,
        database_url=database_url,
    )
    _perform(
        lambda runner: runner.run(settings),
        forms=forms,
        inconclusive=inconclusive,
        quiet=quiet,
        as_json=as_json,
        open_report=open_report,
    )


@click.command(epilog=EXIT_CODES)
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.option("--step", required=True, metavar="N", help="The step to run again.")
@CONFIG
@CONFIRM
@DATABASE_URL
@OUTPUT
@FORMATS
@INCONCLUSIVE
@OPEN
@QUIET
@JSON
def rerun(  # noqa: PLR0917
    run_name: str,
    step: str,
    config: Path | None,
    confirm: str,
    database_url: str,
    output: Path | None,
    formats: tuple[str, ...],
    inconclusive: str,
    open_report: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run a step of RUN again, as a new attempt.

    The report is rendered again.

    RUN is a run id, a path, a case id (its latest run) or 'latest'.
    """
    from qa_runner.cli.configured import configured  # noqa: PLC0415
    from qa_runner.errors import UsageError  # noqa: PLC0415
    from qa_runner.locate import find_run  # noqa: PLC0415
    from qa_runner.report.forms.registry import chosen  # noqa: PLC0415

    if not step.isdigit():
        raise UsageError(f"--step '{step}': a rerun is of a whole step, for example --step 3")
    found = configured(config, None, output)
    folder = find_run(run_name, found.output)
    _perform(
        lambda runner: runner.rerun(
            folder, int(step), found.configuration, confirm=confirm, database_url=database_url
        ),
        forms=chosen(formats),
        inconclusive=inconclusive,
        quiet=quiet,
        as_json=as_json,
        open_report=open_report,
    )


def _typed(*options: tuple[str, Path | None]) -> tuple[str, ...]:
    # Not what nobody can copy from a report, nor an absolute path: it tells whose machine it was.
    told = [
        (name, str(value))
        for name, value in options
        if value and not value.is_absolute() and str(value).isprintable()
    ]
    return tuple(word for option in told for word in option)


def _perform(
    perform: Callable[[Runner], RunResult],
    *,
    forms: frozenset[str],
    inconclusive: str,
    quiet: bool,
    as_json: bool,
    open_report: bool,
) -> NoReturn:
    """Run, render, enter into the history, tell, and exit with the code of the verdict."""
    from qa_runner.console import make_console, verdict_line, view  # noqa: PLC0415
    from qa_runner.console_findings import print_findings  # noqa: PLC0415
    from qa_runner.console_summary import print_summary  # noqa: PLC0415
    from qa_runner.history import update_history  # noqa: PLC0415
    from qa_runner.report.forms.registry import present, write  # noqa: PLC0415
    from qa_runner.report.forms.story import Story  # noqa: PLC0415
    from qa_runner.result import encode  # noqa: PLC0415
    from qa_runner.runner import Runner  # noqa: PLC0415
    from qa_runner.stop import StopToken, stop_on_signals  # noqa: PLC0415

    console = make_console(sys.stdout)
    stop = StopToken()
    report = Path()

    def finish(run: RunResult, folder: Path) -> None:
        nonlocal report
        # After a rerun, no form that was written before may contradict the page.
        wanted = forms | present(folder) | {"html"}
        report = write(folder, wanted, inconclusive_fails=inconclusive == "failure")[-1]
        # A run that was moved away from its case's folder has no history to be entered into.
        if folder.resolve().parent.name == run.test_id.lower():
            update_history(run, folder.resolve().parent)

    def told() -> None:
        click.echo(
            "\nstopping: what was measured is kept and rendered (Ctrl-C again: at once)", err=True
        )

    beside = quiet or as_json
    with inert_output(err=beside):
        with stop_on_signals(stop, told), view(console, shown=not beside) as listener:
            result = perform(Runner([listener], stop, finish))
        if as_json:
            click.echo(encode(result).decode(), nl=False)
        elif quiet:
            console.print(verdict_line(result), soft_wrap=True)
            click.echo(report)
        else:
            print_summary(console, result)
            print_findings(console, Story(report.parent).findings)
            click.echo(f"report {report}")
    tell_actions(report.parent, err=beside)
    if open_report:
        click.launch(str(report))
    if result.status == "crashed":
        fail(result.stop_reason, 4)
    if result.status == "stopped":
        fail(f"stopped to protect the target: {result.stop_reason}", 3)
    # Ctrl-C while the report was rendered: the run is whole, and yet it was interrupted.
    sys.exit(StopRequested.exit_code if stop.event.is_set() else exit_code(result))


def exit_code(run: RunResult) -> int:
    """The exit code that a run's status and verdict lead to."""
    if run.status == "interrupted":
        return StopRequested.exit_code
    if run.status == "stopped":
        return 3
    return {"PASS": 0, "FAIL": 1}.get(run.verdict, 4)
