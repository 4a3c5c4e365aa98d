"""The commands that run a test case: run, rerun."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from qa_runner.cli.group import EXIT_CODES, JSON, OPEN, OUTPUT, QUIET, fail
from qa_runner.errors import StopRequested

if TYPE_CHECKING:
    from qa_runner.result import RunResult
    from qa_runner.runner import Runner

__all__ = ["exit_code", "rerun", "run"]


@click.command(epilog=EXIT_CODES)
@click.argument("case")
@click.option("--target", default="demo", show_default=True, help="demo, or the URL of the API.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="Fault of the demo; repeatable."
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
@OUTPUT
@click.option("--cleanup", is_flag=True, help="Remove the rows that this run created.")
@OPEN
@QUIET
@JSON
def run(  # noqa: PLR0917 (click passes options by name)
    case: str,
    target: str,
    faults: tuple[str, ...],
    profile: str,
    steps: tuple[str, ...],
    assignments: tuple[str, ...],
    output: Path,
    cleanup: bool,  # noqa: FBT001
    open_report: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run CASE and render its report."""
    from qa_runner.settings import RunSettings  # noqa: PLC0415

    settings = RunSettings(
        case=case,
        target=target,
        faults=faults,
        profile=profile,
        steps=steps,
        assignments=assignments,
        output=output,
        cleanup=cleanup,
    )
    _perform(
        lambda runner: runner.run(settings), quiet=quiet, as_json=as_json, open_report=open_report
    )


@click.command(epilog=EXIT_CODES)
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.option("--step", required=True, metavar="N", help="The step to run again.")
@OUTPUT
@OPEN
@QUIET
@JSON
def rerun(  # noqa: PLR0917
    run_name: str,
    step: str,
    output: Path,
    open_report: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run a step of RUN again, as a new attempt.

    The report is rendered again.

    RUN is a run id, a path, a case id (its latest run) or 'latest'.
    """
    from qa_runner.errors import UsageError  # noqa: PLC0415
    from qa_runner.locate import find_run  # noqa: PLC0415

    if not step.isdigit():
        raise UsageError(f"--step '{step}': a rerun is of a whole step, for example --step 3")
    folder = find_run(run_name, output)
    _perform(
        lambda runner: runner.rerun(folder, int(step)),
        quiet=quiet,
        as_json=as_json,
        open_report=open_report,
    )


def _perform(
    perform: Callable[[Runner], RunResult],
    *,
    quiet: bool,
    as_json: bool,
    open_report: bool,
) -> NoReturn:
    """Run, render, enter into the history, tell, and exit with the code of the verdict."""
    from qa_runner.console import make_console, print_summary, verdict_line, view  # noqa: PLC0415
    from qa_runner.history import update_history  # noqa: PLC0415
    from qa_runner.report.html import render  # noqa: PLC0415
    from qa_runner.result import encode  # noqa: PLC0415
    from qa_runner.runner import Runner  # noqa: PLC0415
    from qa_runner.stop import StopToken, stop_on_signals  # noqa: PLC0415

    console = make_console(sys.stdout)
    stop = StopToken()
    report = Path()

    def finish(run: RunResult, folder: Path) -> None:
        nonlocal report
        report = render(folder)
        # A run that was moved away from its case's folder has no history to be entered into.
        if folder.resolve().parent.name == run.test_id.lower():
            update_history(run, folder.resolve().parent)

    def told() -> None:
        click.echo(
            "\nstopping: what was measured is kept and rendered (Ctrl-C again: at once)", err=True
        )

    with stop_on_signals(stop, told), view(console, shown=not (quiet or as_json)) as listener:
        result = perform(Runner([listener], stop, finish))
    if as_json:
        click.echo(encode(result).decode(), nl=False)
    elif quiet:
        console.print(verdict_line(result), soft_wrap=True)
        click.echo(report)
    else:
        print_summary(console, result)
        click.echo(f"report {report}")
    if open_report:
        click.launch(str(report))
    if result.status == "crashed":
        fail(result.stop_reason, 4)
    # Ctrl-C while the report was rendered: the run is whole, and yet it was interrupted.
    sys.exit(StopRequested.exit_code if stop.event.is_set() else exit_code(result))


def exit_code(run: RunResult) -> int:
    """The exit code that a run's status and verdict lead to."""
    if run.status == "interrupted":
        return StopRequested.exit_code
    if run.status == "stopped":
        return 3
    return {"PASS": 0, "FAIL": 1}.get(run.verdict, 4)
