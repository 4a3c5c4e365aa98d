"""The commands about stored runs: report, runs."""

from __future__ import annotations

from pathlib import Path

import click

from qa_runner.cli.actions import tell_actions
from qa_runner.cli.configured import output_folder
from qa_runner.cli.group import AS_JSON, FORMATS, INCONCLUSIVE, OPEN, OUTPUT, print_json

__all__ = ["report", "runs"]


@click.command()
@click.argument("run_name", metavar="[RUN]", default="latest")
@OUTPUT
@OPEN
@FORMATS
@INCONCLUSIVE
@click.option("--schema", is_flag=True, help="Print the JSON Schema of --format json instead.")
def report(  # noqa: PLR0917 (click passes options by name)
    run_name: str,
    output: Path | None,
    open_report: bool,  # noqa: FBT001
    formats: tuple[str, ...],
    inconclusive: str,
    schema: bool,  # noqa: FBT001
) -> None:
    """Render the report of RUN again, from its files alone.

    RUN is a run id, a path, a case id (its latest run) or 'latest'. The files that are written
    into its folder are listed on stdout.
    """
    if schema:
        from qa_runner.report.forms.machine_schema import schema as of_result  # noqa: PLC0415

        print_json(of_result())
        return
    from qa_runner.locate import find_run  # noqa: PLC0415
    from qa_runner.report.forms.registry import chosen, write  # noqa: PLC0415

    forms = chosen(formats or ["html"])
    folder = find_run(run_name, output_folder(output))
    written = write(folder, forms, inconclusive_fails=inconclusive == "failure")
    for path in written:
        click.echo(path)
    # What reads the list of files wants nothing else on stdout.
    tell_actions(folder, err=True)
    if open_report and "html" in forms:
        click.launch(str(written[-1]))


@click.command()
@click.argument("case", required=False)
@OUTPUT
@AS_JSON
def runs(case: str | None, output: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """List the runs of CASE, or of all cases, oldest first."""
    from qa_runner.errors import UnknownName  # noqa: PLC0415
    from qa_runner.history import full_history  # noqa: PLC0415
    from qa_runner.locate import case_folders  # noqa: PLC0415

    output = output_folder(output)
    folders = case_folders(output)
    if case is not None:
        chosen = [folder for folder in folders if folder.name.casefold() == case.casefold()]
        if not chosen:
            raise UnknownName("test case with runs", case, [folder.name for folder in folders])
        folders = chosen
    rows = [{"case": folder.name, **row} for folder in folders for row in full_history(folder)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(f"no runs below {output}", err=True)
    for row in rows:
        line = f"{row['run_id']}  {row['overall_result']:<8}  {row['target']}  {row['notes']}"
        click.echo(line.rstrip())
