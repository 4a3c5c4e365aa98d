"""The commands about stored runs: report, runs."""

from __future__ import annotations

from pathlib import Path

import click

from qa_runner.cli.group import AS_JSON, OPEN, OUTPUT, print_json

__all__ = ["report", "runs"]

_FORMATS = ("html", "csv")


@click.command()
@click.argument("run_name", metavar="[RUN]", default="latest")
@OUTPUT
@OPEN
@click.option(
    "--format",
    "formats",
    default="html",
    show_default=True,
    metavar="html|csv",
    help="What to write into the run folder; several with commas. csv: samples, series, criteria.",
)
def report(run_name: str, output: Path, open_report: bool, formats: str) -> None:  # noqa: FBT001
    """Render the report of RUN again, from its files alone.

    RUN is a run id, a path, a case id (its latest run) or 'latest'.
    """
    from qa_runner.errors import UnknownName  # noqa: PLC0415
    from qa_runner.locate import find_run  # noqa: PLC0415

    wanted = [word.strip() for word in formats.split(",")]
    for word in wanted:
        if word not in _FORMATS:
            raise UnknownName("format", word, _FORMATS)
    folder = find_run(run_name, output)
    if "csv" in wanted:
        from qa_runner.report.csv import write_csv  # noqa: PLC0415

        for path in write_csv(folder):
            click.echo(path)
    if "html" in wanted:
        from qa_runner.report.html import render  # noqa: PLC0415

        page = render(folder)
        click.echo(page)
        if open_report:
            click.launch(str(page))


@click.command()
@click.argument("case", required=False)
@OUTPUT
@AS_JSON
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
        print_json(rows)
        return
    if not rows:
        click.echo(f"no runs below {output}", err=True)
    for row in rows:
        line = f"{row['run_id']}  {row['overall_result']:<8}  {row['target']}  {row['notes']}"
        click.echo(line.rstrip())
