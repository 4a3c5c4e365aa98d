"""The ad-hoc load test: load."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from qa_runner.cli.group import CONFIG, CONFIRM, fail
from qa_runner.errors import StopRequested

if TYPE_CHECKING:
    from qa_runner.ad_hoc.summary import Summary

__all__ = ["load"]

_EPILOG = """\b
Exit codes: 0 sent, and every --expect holds · 1 an --expect fails · 2 usage ·
3 stopped to protect the target · 4 nobody answers, or an --expect could not be
judged · 130 interrupted

\b
Columns of --format csv, a row for each request in the order in which they ended,
times in seconds, empty where not reached:
  iteration            number of the request, the field {i}
  user                 virtual user, from 0
  due started finished since the load began
  response_time        due to finished
  service_time         started to finished
  connect_time         started to connected; empty on a kept connection
  time_to_first_byte   from started
  status               0 without a response
  bytes                received
  reused               1 on a kept connection
  outcome              success, client error, server error, throttled, timeout,
                       connection error, invalid, other, dropped, cancelled
  error                its cause

\b
Examples:
  qa-runner load http://127.0.0.1:8000/health/
  qa-runner load http://127.0.0.1:8000/orders/ --users 50 --duration 30s \\
      --body '{"number": {i}, "name": "{tag}-{i}"}' --auth-token "$TOKEN" \\
      --expect 'success_rate == 100 %' --expect 'response_time p(95) < 50 ms'
  qa-runner load http://127.0.0.1:8000/health/ --rate 500 --duration 1m --format json"""


@click.command(epilog=_EPILOG)
@click.argument("url")
@click.option("--method", "-m", default="", help="Default: POST with a body, else GET.")
@click.option("--body", "-d", metavar="TEXT|@FILE", help="Sent as JSON if it is JSON.")
@click.option(
    "--header", "-H", "headers", multiple=True, metavar="'NAME: VALUE'", help="Repeatable."
)
@click.option(
    "--auth-token",
    default="",
    envvar="QA_RUNNER_AUTH_TOKEN",
    show_envvar=True,
    help="Sent as 'Authorization: Bearer TOKEN'; never shown.",
)
@click.option(
    "--users",
    "-u",
    type=int,
    help="Virtual users, each waiting for its answer; 10 unless given. With --rate, the most "
    "requests in flight; 1000 unless given.",
)
@click.option(
    "--requests", "-n", type=int, help="How many in all; 200 unless a duration or rate is given."
)
@click.option("--duration", metavar="TIME", help="30, 30s or 2m; with --rate 10s unless given.")
@click.option(
    "--rate",
    type=float,
    metavar="REQ/S",
    help="Requests are due at this rate whatever becomes of those before (an open model).",
)
@click.option("--think-time", metavar="TIME", help="Of a user after each answer.")
@click.option("--ramp-up", metavar="TIME", help="The users begin one by one over this time.")
@click.option(
    "--timeout", default="10s", show_default=True, metavar="TIME", help="Of each request."
)
@click.option("--new-connections", is_flag=True, help="One for each request, as curl does.")
@click.option("--insecure", "-k", is_flag=True, help="Accept any certificate.")
@click.option(
    "--environment",
    default="",
    metavar="NAME",
    help="Of qa-runner.toml, with its protection; for this machine and listed hosts it is known.",
)
@CONFIRM
@CONFIG
@click.option(
    "--status",
    "statuses",
    type=int,
    multiple=True,
    help="A status that is a success, instead of 200 to 299; repeatable.",
)
@click.option(
    "--expect",
    "expectations",
    multiple=True,
    metavar="CRITERION",
    help="'response_time p(95) < 50 ms', 'success_rate == 100 %', 'throughput > 1000 req/s', "
    "...; repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="On stdout: text for people, one JSON object, or a row for each request as it ends.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write an HTML page, nothing beside it.",
)
@click.option("--quiet", "-q", is_flag=True, help="One line and the verdicts; no live display.")
def load(  # noqa: PLR0917 (click passes options by name)
    url: str,
    method: str,
    body: str | None,
    headers: tuple[str, ...],
    auth_token: str,
    users: int | None,
    requests: int | None,
    duration: str | None,
    rate: float | None,
    think_time: str | None,
    ramp_up: str | None,
    timeout: str,
    new_connections: bool,  # noqa: FBT001
    insecure: bool,  # noqa: FBT001
    environment: str,
    confirm: str,
    config: Path | None,
    statuses: tuple[int, ...],
    expectations: tuple[str, ...],
    form: Literal["text", "json", "csv"],
    report: Path | None,
    quiet: bool,  # noqa: FBT001
) -> None:
    """Send load to one URL, without a test case.

    URL and body may hold the fields {i} (number of the request, from 1), {tag} (of this load) and
    {uuid} (a new one for each request); every other brace is sent as it stands. Servers on this
    machine are loaded as asked; others only if an environment of qa-runner.toml lists their host,
    and within its limits.
    """
    from qa_runner.ad_hoc.options import LoadOptions  # noqa: PLC0415
    from qa_runner.ad_hoc.perform import perform  # noqa: PLC0415
    from qa_runner.cli.configured import configured  # noqa: PLC0415
    from qa_runner.stop import StopToken, stop_on_signals  # noqa: PLC0415

    options = LoadOptions(
        url=url,
        method=method,
        body=body,
        headers=headers,
        auth_token=auth_token,
        statuses=statuses,
        users=users,
        requests=requests,
        duration=duration,
        rate=rate,
        think_time=think_time,
        ramp_up=ramp_up,
        timeout=timeout,
        new_connections=new_connections,
        insecure=insecure,
        environment=environment,
        confirm=confirm,
        expectations=expectations,
    )
    stop = StopToken()

    def told() -> None:
        click.echo("\nstopping: what was measured follows (Ctrl-C again: at once)", err=True)

    with stop_on_signals(stop, told):
        summary = perform(
            options, configured(config).configuration, form, stop, quiet=quiet, report=report
        )
    if summary.status == "crashed":
        fail(summary.stop_reason, 4)
    if summary.status == "stopped":
        fail(f"stopped to protect the target: {summary.stop_reason}", 3)
    # Ctrl-C while the page was rendered: the load is whole, and yet it was interrupted.
    sys.exit(StopRequested.exit_code if stop.event.is_set() else _exit_code(summary))


def _exit_code(summary: Summary) -> int:
    if summary.verdict is None:
        # Zero requests are never green.
        return 0 if summary.requests else 4
    return {"PASS": 0, "FAIL": 1}.get(summary.verdict, 4)
