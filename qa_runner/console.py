"""What the terminal shows while a run goes on, and at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column
from rich.text import Text

from qa_runner.criteria import CriterionResult
from qa_runner.events import (
    Event,
    LoadProgress,
    Notice,
    PartFinished,
    PartStarted,
    RunStarted,
    StepFinished,
    StepStarted,
)
from qa_runner.redaction import mask_known
from qa_runner.report.criteria import ICONS, measured_text
from qa_runner.report.format import duration
from qa_runner.report.text import visible
from qa_runner.result import RunResult
from qa_runner.verdict import Verdict

__all__ = [
    "PlainView",
    "make_console",
    "verdict_line",
    "verdict_text",
    "view",
]

_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.SKIPPED: "dim",
}
_PLAIN_WIDTH = 120


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command; rich would exit with 1, which means that criteria failed."""
        raise  # noqa: PLE0704 (rich calls it where it has caught the BrokenPipeError)


class _Masked:
    """A stream without what is known to be secret."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(mask_known(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def make_console(file: TextIO) -> Console:
    """A console for a stream; colours heed NO_COLOR, and a pipe gets plain, unwrapped lines."""
    masked = cast("TextIO", _Masked(file))
    if file.isatty():
        return _Console(file=masked, highlight=False)
    return _Console(file=masked, highlight=False, width=_PLAIN_WIDTH, no_color=True)


def verdict_text(verdict: Verdict) -> Text:
    """A verdict with its symbol, so that colour is never alone."""
    return Text(f"{ICONS[verdict]} {verdict}", style=_STYLES[verdict])


class PlainView:
    """One line for each thing that happened: for pipes, files and CI."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        match event:
            case RunStarted(run=run, folder=folder, expected_seconds=seconds):
                scope = f", {run.scope}" if run.scope else ""
                self._line(f"{run.test_id} {run.test_name}{scope}")
                faults = f", faults: {', '.join(run.target.faults)}" if run.target.faults else ""
                self._line(f"target {run.target.url} ({run.target.name}{faults})")
                self._line(f"run {folder}, about {duration(seconds)}")
            case StepStarted(number=number, title=title, attempt=attempt):
                again = f" (attempt {attempt})" if attempt > 1 else ""
                self._line(f"Step {number}: {title}{again}")
            case PartFinished(result=part):
                line = Text.assemble("  ", (f"{part.id:<5}{visible(part.title):<48}", ""))
                line.append_text(verdict_text(part.verdict))
                line.append(f"  {duration(part.end - part.start)}", style="dim")
                self.console.print(line, soft_wrap=True)
                for criterion in part.criteria:
                    if criterion.verdict not in (Verdict.PASS, Verdict.SKIPPED):
                        self._line(f"       {criterion_line(criterion)}")
            case StepFinished(result=step):
                for criterion in step.latest.criteria if step.latest else []:
                    if criterion.verdict not in (Verdict.PASS, Verdict.SKIPPED):
                        self._line(f"       {criterion_line(criterion)}")
            case Notice(text=text):
                self._line(text)
            case _:
                pass

    def _line(self, text: str) -> None:
        self.console.print(Text(visible(text)), soft_wrap=True)


class _LiveView(PlainView):
    """As the plain view, with a line below that says what is under way."""

    def __init__(self, console: Console, progress: Progress) -> None:
        super().__init__(console)
        self._progress = progress
        self._task = progress.add_task("starting", total=1.0, detail="", left="")
        self._left = 0.0
        self._part_seconds = 0.0
        self._part_began = 0.0
        self._title = ""

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        match event:
            case RunStarted(expected_seconds=seconds):
                self._left = seconds
            case PartStarted(id=identifier, title=title, expected_seconds=seconds):
                self._title = f"{identifier} {title}"
                self._part_seconds, self._part_began = seconds, time.monotonic()
                self._left = max(self._left - seconds, 0.0)
                self._show(0.0, "")
            case LoadProgress():
                due = max(event.done, 1)
                of = f"/{event.expected}" if event.expected is not None else ""
                share = 100 * event.succeeded / due if event.done else 100.0
                detail = f"{event.done}{of} sent, {share:.0f} % ok"
                self._show(event.fraction, detail)
            case PartFinished():
                self._show(1.0, "")

    def _show(self, fraction: float, detail: str) -> None:
        spent = time.monotonic() - self._part_began
        left = round(self._left + max(self._part_seconds - spent, 0.0))
        minutes, seconds = divmod(left, 60)
        self._progress.update(
            self._task,
            description=escape(visible(self._title)),
            completed=fraction,
            left=f"~{minutes}:{seconds:02d} left",
            detail=detail,
        )


@contextmanager
def view(console: Console, *, shown: bool) -> Iterator[Callable[[Event], None]]:
    """A listener: on a terminal lines with what is under way below, else plain lines, or none."""
    if not shown:
        yield lambda _event: None
        return
    if not console.is_terminal:
        yield PlainView(console)
        return
    progress = Progress(
        # What matters comes first: a narrow terminal cuts the end.
        TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=12, table_column=Column(min_width=12)),
        TextColumn("{task.description}", table_column=Column(no_wrap=True, ratio=2)),
        TextColumn("{task.fields[detail]}", style="dim", table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
    )
    with progress:
        yield _LiveView(progress.console, progress)


def criterion_line(criterion: CriterionResult) -> str:
    """A criterion that did not pass, in one line."""
    text = f"{ICONS[criterion.verdict]} {criterion.id}: {criterion.expression}"
    if criterion.measured is not None:
        text += f", measured {measured_text(criterion)}"
    if criterion.reason:
        text += f" ({criterion.reason})"
    return text


def verdict_line(run: RunResult) -> Text:
    """The verdict with what it is the verdict of, and why, in one line."""
    line = verdict_text(run.verdict)
    scope = f" of {run.scope}" if run.scope else ""
    line.append(f"{scope}  {run.test_id}  ", style="not bold default")
    line.append(visible(run.reason), style="not bold default")
    return line
