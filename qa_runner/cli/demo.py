"""The command that serves the embedded target: demo."""

from __future__ import annotations

import contextlib

import click

from qa_runner.cli.group import DATABASE_URL
from qa_runner.targets.faults import FAULTS

__all__ = ["demo"]


@click.command(epilog="Faults: " + ", ".join(FAULTS))
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Repeatable.")
@DATABASE_URL
def demo(port: int, faults: tuple[str, ...], database_url: str) -> None:
    """Run the embedded Purchase API in the foreground, until Ctrl-C."""
    from qa_runner.targets.choose import DEMO, check_database  # noqa: PLC0415
    from qa_runner.targets.foreground import serve_in_foreground  # noqa: PLC0415

    def tell(url: str) -> None:
        click.echo(f"Purchase API on {url}  (Ctrl-C ends it; its database goes with it)")
        click.echo(
            f"try: curl -X POST {url}/finances/api/purchase/initiate/ "
            """-H 'Content-Type: application/json' -d '{"plan_id": 1, """
            """"student_info": {"name": "Ada", "email": "ada@example.com"}}'"""
        )

    with contextlib.suppress(KeyboardInterrupt):
        serve_in_foreground(port, faults, tell, check_database(DEMO, database_url))
