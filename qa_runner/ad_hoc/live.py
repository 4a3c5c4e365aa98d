"""What the terminal shows while an ad-hoc load goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from qa_runner.load.messages import Progress as LoadProgress

__all__ = ["live_view"]


class _LiveView:
    """Progress, rate and errors in one line, drawn at most ten times a second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1.0, detail="starting")
        self._began = time.monotonic()
        self._last = (self._began, 0)
        self._rate = 0.0

    def __call__(self, load: LoadProgress) -> None:
        now = time.monotonic()
        since, done = self._last
        if now - since >= 1.0:
            self._rate = (load.done - done) / (now - since)
            self._last = (now, load.done)
        elif done == 0:
            self._rate = load.done / max(now - self._began, 1e-3)
        of = f"/{load.expected:,}" if load.expected is not None else ""
        failed = load.done - load.succeeded
        errors = f"[red]{failed:,} failed[/]" if failed else "0 failed"
        self._progress.update(
            self._task,
            completed=load.fraction,
            detail=(
                f"{load.done:,}{of} requests, {self._rate:,.0f} req/s, {errors}, "
                f"{load.in_flight:,} in flight"
            ),
        )


@contextmanager
def live_view(console: Console, *, shown: bool) -> Iterator[Callable[[LoadProgress], None]]:
    """A line that is kept up to date on a terminal, and gone at the end; else nothing."""
    if not (shown and console.is_terminal):
        yield lambda _progress: None
        return
    progress = Progress(
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
    )
    with progress:
        yield _LiveView(progress)
