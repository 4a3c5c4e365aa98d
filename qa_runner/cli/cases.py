"""The commands about test cases: list, show."""

from __future__ import annotations

import click

from qa_runner.cli.group import AS_JSON, print_json

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
@AS_JSON
def show(case: str, profile: str, as_json: bool) -> None:  # noqa: FBT001
    """Show the steps, parts, parameters and criteria of CASE."""
    from qa_runner import discovery  # noqa: PLC0415
    from qa_runner.configure import configure  # noqa: PLC0415
    from qa_runner.showing import as_data, as_lines  # noqa: PLC0415

    configured = configure(discovery.find(case), profile=profile, steps=(), settings=())
    if as_json:
        print_json(as_data(configured))
    else:
        click.echo("\n".join(as_lines(configured)))
