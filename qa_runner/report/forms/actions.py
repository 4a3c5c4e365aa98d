"""What a run says inside GitHub Actions: the job summary, and annotations.

The commands of a workflow are lines such as ``::error title=…::…``:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from qa_runner.report.forms.judged import Judged
from qa_runner.report.forms.markdown import code, summary_lines
from qa_runner.report.forms.story import Story
from qa_runner.verdict import Verdict

__all__ = ["annotation_lines", "job_summary"]

_COMMANDS = {
    Verdict.FAIL: "error",
    Verdict.ERROR: "error",
    Verdict.INCONCLUSIVE: "warning",
}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def annotation_lines(story: Story) -> list[str]:
    """A line for each result that did not pass, the worst first: GitHub shows ten of a kind."""
    order = list(_COMMANDS)
    found = [result for result in story.results if result.verdict in _COMMANDS]
    found.sort(key=lambda result: order.index(result.verdict))
    return [_annotation(story, result) for result in found]


def job_summary(story: Story) -> str:
    """The Markdown summary; pictures and files of the run are not to be had there."""
    folder = code(str(story.folder))
    return "\n".join([*summary_lines(story), f"- Report: `report.html` in {folder}", ""])


def _annotation(story: Story, result: Judged) -> str:
    title = f"{story.run.test_id} {result.name}".translate(_PROPERTY)
    rule = f"{result.criterion.expression}: " if result.criterion else ""
    words = [f"{rule}{result.message.rstrip('.')}."]
    cause = story.cause(result)
    if cause is not None:
        words += ["Likely cause:", cause["sentence"], cause["remedy"]]
    message = " ".join(filter(None, words)).translate(_DATA)
    return f"::{_COMMANDS[result.verdict]} title={title}::{message}"
