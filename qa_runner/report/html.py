"""The HTML report: one file that opens anywhere, and the figures as PNG beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from qa_runner.data_folder import data_folder
from qa_runner.errors import OutputError
from qa_runner.report.figures import Drawings, draw_all
from qa_runner.report.source import Source
from qa_runner.report.view import view
from qa_runner.store import RunReader, write_atomically

__all__ = ["fill", "page", "render"]

REPORT_NAME = "report.html"
_TEMPLATE = "report.html.j2"


def render(folder: Path) -> Path:
    """Read a run folder, write ``figures/*.png`` and ``report.html`` into it.

    Returns the report's path. Raises RunFolderError if the folder is no run or is damaged,
    OutputError if it cannot be written.
    """
    source = Source(RunReader(folder))
    text, drawings = _compose(source)
    figures = folder / "figures"
    try:
        figures.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {figures}: {error.strerror or error}") from None
    for drawing in drawings:
        write_atomically(figures / f"{drawing.name}.png", drawing.png)
    report = folder / REPORT_NAME
    write_atomically(report, text.encode())
    return report


def page(reader: RunReader) -> str:
    """The report of a run folder as text; writes nothing.

    Raises RunFolderError if the folder is no run or is damaged.
    """
    return _compose(Source(reader))[0]


def _compose(source: Source) -> tuple[str, Drawings]:
    drawings = draw_all(source)
    return fill(_TEMPLATE, view(source, drawings)), drawings


def fill(template: str, shown: Mapping[str, Any]) -> str:
    """A template of ours with what it shows; the style sheet and the script are in it."""
    folder = data_folder("templates")
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    css = (folder / "report.css").read_text(encoding="utf-8")
    js = (folder / "report.js").read_text(encoding="utf-8")
    # All are ours: the style sheet, the script, and SVG that was serialised from a tree.
    own = {"css": Markup(css), "js": Markup(js), "svg": Markup}  # noqa: S704
    return environment.get_template(template).render(shown, **own)
