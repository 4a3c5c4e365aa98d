"""One ad-hoc load from its options to what is printed of it."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from qa_runner.ad_hoc.approval import approve
from qa_runner.ad_hoc.live import live_view
from qa_runner.ad_hoc.options import LoadOptions, plan_load
from qa_runner.ad_hoc.page import check_page, write_page
from qa_runner.ad_hoc.rows import COLUMNS, rows_of
from qa_runner.ad_hoc.sending import Measured, check_target, send
from qa_runner.ad_hoc.summary import Summary, summarise
from qa_runner.ad_hoc.text import judgement_lines, one_line, print_text, warnings_of
from qa_runner.clock import Clock
from qa_runner.configuration.schema import Configuration
from qa_runner.console import make_console
from qa_runner.load.messages import Progress
from qa_runner.redaction import know_secrets
from qa_runner.sample_metrics import times_of
from qa_runner.stop import StopToken
from qa_runner.table import Table

__all__ = ["Format", "perform"]

Format = Literal["text", "json", "csv"]


def perform(
    options: LoadOptions,
    configuration: Configuration,
    form: Format,
    stop: StopToken,
    *,
    quiet: bool,
    report: Path | None,
) -> Summary:
    """Send the load, print what it came to on stdout in this form, write the report.

    Raises UsageError and TargetError before anything is sent, GeneratorError if that can't be
    done, OutputError if the report cannot be written.
    """
    clock = Clock()
    # Short, lower case, unlikely to occur by chance in anybody else's data.
    tag = f"qa{clock.wall_start:%m%d%H%M%S}{secrets.token_hex(2)}"
    test = plan_load(options, tag)
    know_secrets(test.secrets)
    test = approve(test, options, configuration)
    if report is not None:
        check_page(report)
    check_target(test)
    errors = make_console(sys.stderr)
    if form == "csv":
        _write(Table(COLUMNS).to_csv(header=True))
    with live_view(errors, shown=form == "text" and not quiet) as show:

        def watch(progress: Progress, arrived: Table, start: float) -> None:
            show(progress)
            if form == "csv" and len(arrived):
                _write(rows_of(arrived, start).to_csv(header=False))

        # Rows and one line say nothing of the generator's event loop.
        shown = form == "json" or report is not None or (form == "text" and not quiet)
        measured = send(test, clock, stop, watch, health=shown)
    summary = summarise(measured)
    if form == "text":
        _print_text(measured, summary, quiet=quiet)
    elif form == "json":
        _write(msgspec.json.format(msgspec.json.encode(summary), indent=2).decode() + "\n")
    if form != "text" and not quiet:
        _print_beside(errors, form, summary)
    if report is not None:
        write_page(report, measured, summary)
        if form == "text":
            _write(f"report {report}\n" if quiet else f"\nreport {report}\n")
    return summary


def _print_text(measured: Measured, summary: Summary, *, quiet: bool) -> None:
    console = make_console(sys.stdout)
    if quiet:
        console.print(one_line(summary), soft_wrap=True, markup=False)
        for line in judgement_lines(summary.expectations):
            console.print(line, soft_wrap=True)
        return
    values = times_of(measured.samples, "response_time")
    assert values is not None  # noqa: S101 (the metric is one of ours)
    print_text(console, summary, values)


def _print_beside(errors: Console, form: Format, summary: Summary) -> None:
    """On stderr, what nobody should overlook; rows alone do not tell the verdicts either."""
    if form == "csv":
        for line in judgement_lines(summary.expectations, known=summary.generator.caution):
            errors.print(line, soft_wrap=True)
    for warning in warnings_of(summary):
        errors.print(f"! {warning}", soft_wrap=True, markup=False)


def _write(text: str) -> None:
    """To stdout at once: whoever reads a pipe waits for it."""
    sys.stdout.write(text)
    sys.stdout.flush()
