"""The picture of the Markdown summary, for a run folder without the page's figures."""

from __future__ import annotations

from qa_runner.errors import OutputError
from qa_runner.report.charts import timeline
from qa_runner.report.charts.canvas import draw
from qa_runner.report.figures import TIMELINE
from qa_runner.report.forms.markdown import PICTURE
from qa_runner.report.forms.story import Story
from qa_runner.store import write_atomically

__all__ = ["write_picture"]


def write_picture(story: Story) -> None:
    """Draw the run at a glance, as the page has it.

    Raises OutputError if it cannot be written.
    """
    path = story.folder / PICTURE
    drawing = draw(TIMELINE, lambda figure: timeline.paint(story.source, figure))
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path.parent}: {error.strerror or error}") from None
    write_atomically(path, drawing.png)
