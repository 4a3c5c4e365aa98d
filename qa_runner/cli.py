"""The command line: the only home of click and of exit codes.

Imports of what a command needs stand inside it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from qa_runner import __version__
from qa_runner.errors import QaRunnerError, StopRequested

if TYPE_CHECKING:
    from qa_runner.result import RunResult
    from qa_runner.runner import Runner

EXIT_CODES = """\b
Exit codes: 0 passed · 1 criteria failed · 2 usage, configuration or output ·
3 stopped for safety · 4 inconclusive or could not run · 130 interrupted"""

_OUTPUT = click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("artifacts"),
    show_default=True,
    metavar="DIR",
    help="Folder for runs.",
)
_OPEN = click.option("--open", "open_report", is_flag=True, help="Open the report in a browser.")
_QUIET = click.option("--quiet", "-q", is_flag=True, help="Only the verdict and the report's path.")
_JSON = click.option("--json", "as_json", is_flag=True, help="run.json on stdout, nothing else.")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")


class _Group(click.Group):
    """Turns the errors of qa-runner into one line and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except QaRunnerError as error:
            _fail(str(error), error.exit_code)
        except StopRequested as stop:
            _fail(f"interrupted {stop}".strip(), stop.exit_code)
        except KeyboardInterrupt:
            _fail("interrupted", StopRequested.exit_code)
        except BrokenPipeError:
            # The reader of our output has left (head, less): nothing to say, nobody to say it to.
            sys.stderr.close()
            sys.exit(StopRequested.exit_code)


def _fail(message: str, code: int) -> NoReturn:
    line = " ".join(message.split())
    click.echo(click.style("Error: ", fg="red") + line, err=True, color=_colour(sys.stderr))
    sys.exit(code)


def _colour(stream: Any) -> bool | None:
    """Whether to colour: never with NO_COLOR, else where the stream is a terminal."""
    import os  # noqa: PLC0415

    return False if os.environ.get("NO_COLOR") else stream.isatty()


@click.group(
    cls=_Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="qa-runner")
def main() -> None:
    """Run performance test cases, judge each criterion, render one report."""


# -------------------------------------------------------------------- list, show


@main.command("list")
@_AS_JSON
def list_cases(as_json: bool) -> None:  # noqa: FBT001 (click passes options by name)
    """List the test cases that can be run."""
    from qa_runner import discovery  # noqa: PLC0415

    catalogue = discovery.discover()
    if as_json:
        _print_json(
            [
                {"id": case.id, "name": case.name, "description": case.description}
                for case in catalogue.cases
            ]
        )
    else:
        width = max((len(case.id) for case in catalogue.cases), default=0)
        for case in catalogue.cases:
            click.echo(f"{case.id:<{width}}  {case.name}")
    for folder, error in catalogue.broken:
        click.echo(f"left out {folder}: {error}", err=True)


@main.command()
@click.argument("case")
@click.option("--profile", default="full", metavar="full|smoke", help="Values of this profile.")
@_AS_JSON
def show(case: str, profile: str, as_json: bool) -> None:  # noqa: FBT001
    """Show the steps, parts, parameters and criteria of CASE."""
    from qa_runner import discovery  # noqa: PLC0415
    from qa_runner.configure import configure  # noqa: PLC0415
    from qa_runner.showing import as_data, as_lines  # noqa: PLC0415

    configured = configure(discovery.find(case), profile=profile, steps=(), settings=())
    if as_json:
        _print_json(as_data(configured))
    else:
        click.echo("\n".join(as_lines(configured)))


# -------------------------------------------------------------------- run, rerun


@main.command(epilog=EXIT_CODES)
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
@_OUTPUT
@click.option("--cleanup", is_flag=True, help="Remove the rows that this run created.")
@_OPEN
@_QUIET
@_JSON
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


@main.command(epilog=EXIT_CODES)
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.option("--step", required=True, metavar="N", help="The step to run again.")
@_OUTPUT
@_OPEN
@_QUIET
@_JSON
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
        _fail(result.stop_reason, 4)
    # Ctrl-C while the report was rendered: the run is whole, and yet it was interrupted.
    sys.exit(StopRequested.exit_code if stop.event.is_set() else exit_code(result))


def exit_code(run: RunResult) -> int:
    """The exit code that a run's status and verdict lead to."""
    if run.status == "interrupted":
        return StopRequested.exit_code
    if run.status == "stopped":
        return 3
    return {"PASS": 0, "FAIL": 1}.get(run.verdict, 4)


# -------------------------------------------------------------------- report, runs


@main.command()
@click.argument("run_name", metavar="[RUN]", default="latest")
@_OUTPUT
@_OPEN
def report(run_name: str, output: Path, open_report: bool) -> None:  # noqa: FBT001
    """Render the report of RUN again, from its files alone.

    RUN is a run id, a path, a case id (its latest run) or 'latest'.
    """
    from qa_runner.locate import find_run  # noqa: PLC0415
    from qa_runner.report.html import render  # noqa: PLC0415

    path = render(find_run(run_name, output))
    click.echo(path)
    if open_report:
        click.launch(str(path))


@main.command()
@click.argument("case", required=False)
@_OUTPUT
@_AS_JSON
def runs(case: str | None, output: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the runs of CASE, or of all cases, oldest first."""
    from qa_runner.errors import UnknownName  # noqa: PLC0415
    from qa_runner.history import full_history  # noqa: PLC0415
    from qa_runner.locate import case_folders  # noqa: PLC0415

    folders = case_folders(output)
    if case is not None:
        chosen = [folder for folder in folders if folder.name.casefold() == case.casefold()]
        if not chosen:
            raise UnknownName("test case with runs", case, [folder.name for folder in folders])
        folders = chosen
    rows = [{"case": folder.name, **row} for folder in folders for row in full_history(folder)]
    if as_json:
        _print_json(rows)
        return
    if not rows:
        click.echo(f"no runs below {output}", err=True)
    for row in rows:
        line = f"{row['run_id']}  {row['overall_result']:<8}  {row['target']}  {row['notes']}"
        click.echo(line.rstrip())


# -------------------------------------------------------------------- demo


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Repeatable.")
def demo(port: int, faults: tuple[str, ...]) -> None:
    """Run the embedded Purchase API in the foreground, until Ctrl-C."""
    from qa_runner.targets.foreground import serve_in_foreground  # noqa: PLC0415

    def tell(url: str) -> None:
        click.echo(f"Purchase API on {url}  (Ctrl-C ends it; its database goes with it)")
        click.echo(
            f"try: curl -X POST {url}/finances/api/purchase/initiate/ "
            """-H 'Content-Type: application/json' -d '{"plan_id": 1, """
            """"student_info": {"name": "Ada", "email": "ada@example.com"}}'"""
        )

    with contextlib.suppress(KeyboardInterrupt):
        serve_in_foreground(port, faults, tell)


def _print_json(value: Any) -> None:
    import json  # noqa: PLC0415

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
