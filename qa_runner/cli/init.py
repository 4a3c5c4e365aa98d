"""The command that writes a first configuration: init."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from qa_runner.configuration.proposal.propose import Proposal

__all__ = ["init"]

_EPILOG = """\b
Examples:
  qa-runner init
  qa-runner init --project ../shop --url http://127.0.0.1:8000
  qa-runner init --token-env SHOP_TOKEN --header-env X-Api-Key=SHOP_KEY"""

_PATH = click.Path(path_type=Path)


@click.command(epilog=_EPILOG)
@click.option("--url", default="", help="Of the API under test.")
@click.option("--project", type=_PATH, metavar="DIR", help="The folder of its manage.py.")
@click.option("--settings", default="", metavar="MODULE", help="Its settings: shop.settings.")
@click.option("--interpreter", type=_PATH, metavar="FILE", help="The Python it runs under.")
@click.option("--log", type=_PATH, metavar="FILE", help="The server's log.")
@click.option("--token-env", default="", metavar="NAME", help="Variable with a bearer token.")
@click.option(
    "--header-env", multiple=True, metavar="HEADER=NAME", help="Variable of a header; repeatable."
)
@click.option(
    "--output",
    type=_PATH,
    default=Path("qa-runner.toml"),
    show_default=True,
    metavar="FILE",
    help="What to write.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def init(  # noqa: PLR0917 (click passes options by name)
    url: str,
    project: Path | None,
    settings: str,
    interpreter: Path | None,
    log: Path | None,
    token_env: str,
    header_env: tuple[str, ...],
    output: Path,
    force: bool,  # noqa: FBT001
) -> None:
    """Write a qa-runner.toml for the Django project here.

    Looks for manage.py, its settings, its virtual environment and a running server; what it does
    not find stands in comments. Nothing is sent, and nothing of the project is run.
    """
    from qa_runner import discovery  # noqa: PLC0415
    from qa_runner.cli.configured import working_folder  # noqa: PLC0415
    from qa_runner.configuration.proposal.propose import ProposalOptions, propose  # noqa: PLC0415

    start = working_folder()
    file = Path(os.path.normpath(start / output))
    if not force:
        _check_absent(output)
    cases = discovery.discover().cases
    texts = [param.default for case in cases for param in case.parameters.values()]
    options = ProposalOptions(
        url=url,
        project=project,
        settings=settings,
        interpreter=interpreter,
        log=log,
        token_variable=token_env,
        headers=header_env,
        paths=tuple(t for t in texts if isinstance(t, str) and t.startswith("/")),
        roles={role: model for case in cases for role, model in case.case.models.items()},
        case=cases[0].id if cases else "CASE-1",
    )
    proposal = propose(options, file, start, os.environ)
    _write(output, proposal.text, force=force)
    _tell(output, proposal)


def _check_absent(output: Path) -> None:
    from qa_runner.errors import UsageError  # noqa: PLC0415

    if os.path.lexists(output):
        raise UsageError(f"{output} is there already; --force replaces it")


def _write(output: Path, text: str, *, force: bool) -> None:
    from qa_runner.errors import OutputError  # noqa: PLC0415

    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror}") from None


def _tell(output: Path, proposal: Proposal) -> None:
    click.echo(f"wrote {output}, with the target {proposal.target}")
    width = max(len(finding.name) for finding in proposal.findings)
    for finding in proposal.findings:
        note = f"({finding.note})" if finding.value and finding.note else finding.note
        words = " ".join(word for word in (finding.value, note) if word)
        click.echo(f"  {finding.name:<{width}}  {finding.how:<7}  {words}")
    click.echo("next: look through the file, then qa-runner check")
