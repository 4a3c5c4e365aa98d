"""Which forms there are, and writing them into a run folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qa_runner.errors import UnknownName
from qa_runner.report.csv import CSV_NAMES, write_csv
from qa_runner.report.forms.ctrf import ctrf
from qa_runner.report.forms.junit import junit
from qa_runner.report.forms.machine import machine
from qa_runner.report.forms.markdown import markdown
from qa_runner.report.forms.picture import write_picture
from qa_runner.report.forms.story import Story
from qa_runner.report.html import REPORT_NAME, render
from qa_runner.store import write_atomically

__all__ = ["FORMATS", "chosen", "present", "write"]

_NAMES = {
    "junit": ("junit.xml",),
    "ctrf": ("ctrf-report.json",),
    "markdown": ("summary.md",),
    "csv": CSV_NAMES,
    "json": ("result.json",),
    "html": (REPORT_NAME,),
}
"""The files of each form, in the order in which they are told of."""
FORMATS = ("html", "junit", "ctrf", "markdown", "csv", "json")


def chosen(words: Iterable[str]) -> frozenset[str]:
    """The forms named in words such as "html,junit".

    Raises UnknownName for one that there is not.
    """
    names = [name.strip() for word in words for name in word.split(",")]
    for name in names:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    return frozenset(names)


def present(folder: Path) -> frozenset[str]:
    """The forms that a run folder has already, all or in part."""
    return frozenset(
        name for name, files in _NAMES.items() if any((folder / file).is_file() for file in files)
    )


def write(folder: Path, forms: frozenset[str], *, inconclusive_fails: bool = False) -> list[Path]:
    """Write these forms into a run folder; returns the files, the page last.

    ``inconclusive_fails`` is for what continuous integration reads. Each file is replaced at once,
    and the same run makes the same bytes. Raises RunFolderError if the folder is no run or is
    damaged, OutputError if it cannot be written.
    """
    if "html" in forms:
        # First, since it brings the picture, and by itself: a large run is read for it.
        render(folder)
    if "csv" in forms:
        write_csv(folder)
    if forms - {"html", "csv"}:
        story = Story(folder)
        for form, data in _composed(story, forms, inconclusive_fails=inconclusive_fails):
            write_atomically(folder / _NAMES[form][0], data)
        if "markdown" in forms and "html" not in forms:
            write_picture(story)
    return [folder / file for name, files in _NAMES.items() if name in forms for file in files]


def _composed(
    story: Story, forms: frozenset[str], *, inconclusive_fails: bool
) -> Iterable[tuple[str, bytes]]:
    if "junit" in forms:
        yield "junit", junit(story, inconclusive_fails=inconclusive_fails)
    if "ctrf" in forms:
        yield "ctrf", ctrf(story, inconclusive_fails=inconclusive_fails)
    if "markdown" in forms:
        yield "markdown", markdown(story)
    if "json" in forms:
        yield "json", machine(story)
