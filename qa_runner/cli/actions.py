"""What a command does inside GitHub Actions, where the runner reads what it prints."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["in_actions", "inert_output", "tell_actions"]


def in_actions() -> bool:
    """Whether the command runs in a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@contextmanager
def inert_output(*, err: bool) -> Iterator[None]:
    """Nothing printed within is a command to the runner, whatever a server put into it.

    ``err``: what only programs read goes to stdout, so this goes to stderr; the runner reads both.
    """
    if not in_actions():
        yield
        return
    # The runner obeys nothing until it reads this word, which nobody can guess.
    word = secrets.token_hex(16)
    click.echo(f"::stop-commands::{word}", err=err)
    try:
        yield
    finally:
        click.echo(f"::{word}::", err=err)


def tell_actions(folder: Path, *, err: bool) -> None:
    """Append the job summary, and annotate what did not pass; nothing outside of Actions."""
    if not in_actions():
        return
    from qa_runner.redaction import mask_known  # noqa: PLC0415
    from qa_runner.report.forms.actions import annotation_lines, job_summary  # noqa: PLC0415
    from qa_runner.report.forms.story import Story  # noqa: PLC0415

    story = Story(folder)
    _append(mask_known(job_summary(story)))
    for line in annotation_lines(story):
        click.echo(mask_known(line), err=err)


def _append(summary: str) -> None:
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    path = Path(name)
    try:
        held = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        # A run and its report in one step are one summary.
        if summary not in held:
            gap = "\n" if held else ""
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{gap}{summary}")
    except OSError as error:
        click.echo(f"no job summary: cannot write {path}: {error.strerror or error}", err=True)
