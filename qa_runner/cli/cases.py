"""The commands about test cases: list, show."""

from __future__ import annotations

from pathlib import Path

import click

from qa_runner.cli.group import AS_JSON, CONFIG, TARGET, print_json

__all__ = ["list_cases", "show"]


@click.command("list")
@AS_JSON
def list_cases(as_json: bool) -> None:  # noqa: FBT001 (click passes options by name)
    """List the test cases that can be run."""
    from qa_runner import discovery  # noqa: PLC0415

    catalogue = discovery.discover()
    if as_json:
        print_json(
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


@click.command()
@click.argument("case")
@click.option("--profile", default="full", metavar="full|smoke", help="Values of this profile.")
@TARGET
@CONFIG
@AS_JSON
def show(
    case: str,
    profile: str,
    target: str | None,
    config: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show the steps, parts, parameters and criteria of CASE, as a run would take them."""
    from qa_runner.cli.configured import configured  # noqa: PLC0415
    from qa_runner.prepare import prepare_case  # noqa: PLC0415
    from qa_runner.settings import RunSettings  # noqa: PLC0415
    from qa_runner.showing import as_data, as_lines  # noqa: PLC0415

    found = configured(config, target)
    settings = RunSettings(
        case=case, configuration=found.configuration, target=found.target, profile=profile
    )
    ready = prepare_case(settings)
    if as_json:
        print_json(as_data(ready))
    else:
        click.echo("\n".join(as_lines(ready)))
