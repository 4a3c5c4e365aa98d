"""The run in at most ten lines of Markdown, for a pull request or a mail."""

from __future__ import annotations

import html
import re

from qa_runner.report.figures import TIMELINE
from qa_runner.report.format import duration, moment
from qa_runner.report.forms.judged import Judged
from qa_runner.report.forms.story import Story
from qa_runner.report.text import visible
from qa_runner.verdict import Verdict

__all__ = ["PICTURE", "code", "escaped", "markdown", "summary_lines"]

PICTURE = f"figures/{TIMELINE}.png"
_MOST_FAILURES = 3
_MOST_CHARACTERS = 300
_MOST_OF_CAUSE = 500
_SIGNS = {Verdict.FAIL: "✗", Verdict.ERROR: "!", Verdict.INCONCLUSIVE: "?"}
_SPECIAL = re.compile(r"([\\`*\[\]~|$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
# Only what would begin a tag or an entity: "a < b & c" is read as text, and by people in mails.
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?[A-Za-z0-9])")
# Where a service makes links of its own of what is plain text to Markdown: people, issues,
# addresses. An invisible space keeps it from that.
_LINKING = re.compile(
    r"@|#(?=\w)|(?<=GH-)(?=\d)|(?<=[A-Za-z]:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE
)
_BREAK = "&#8203;"


def markdown(story: Story) -> bytes:
    """The summary, UTF-8, with a picture and the page beside it as relative links."""
    lines = [
        *summary_lines(story),
        "- Report: [report.html](report.html)",
        "",
        f"![The run at a glance: requests, response times, CPU and memory, database]({PICTURE})",
    ]
    return ("\n".join(lines) + "\n").encode()


def summary_lines(story: Story) -> list[str]:
    """Verdict, one sentence, the worst criteria and the likely cause: at most seven lines."""
    failures = [result for result in story.results if result.verdict in _SIGNS]
    failures.sort(key=lambda result: list(_SIGNS).index(result.verdict))
    # Our word first: what a stored reason begins with could make it a heading or a list.
    lines = [f"### {escaped(story.title)}", f"Result: {escaped(story.reason)} {_facts(story)}"]
    lines += [_failure(result) for result in failures[:_MOST_FAILURES]]
    more = len(failures) - _MOST_FAILURES
    if more > 0:
        lines.append(f"- … and {more:,} more that did not pass")
    likely = [row for row in story.findings if row["likely"]]
    if likely and failures:
        words = (escaped(likely[0]["sentence"], _MOST_OF_CAUSE), escaped(likely[0]["remedy"]))
        lines.append(f"- **Likely cause:** {' '.join(filter(None, words))}")
    return lines


def _facts(story: Story) -> str:
    run = story.run
    at = f" at {code(run.target.url)}" if run.target.url else ""
    took = duration(run.duration_seconds)
    began = escaped(moment(run.started))
    return f"Target {code(run.target.name)}{at}, profile {code(run.profile)}, {began}, {took}."


def _failure(result: Judged) -> str:
    rule = f" {code(result.criterion.expression)}" if result.criterion else ""
    return f"- {_SIGNS[result.verdict]} **{code(result.name)}**{rule}: {escaped(result.message)}"


def escaped(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Text as Markdown that shows it and does nothing else; one line of ``most`` characters.

    It may stand anywhere but at the beginning of a line.
    """
    text = _SPECIAL.sub(r"\\\1", _one_line(text, most))
    text = _MARKUP.sub(lambda match: html.escape(match[0]), text)
    return _LINKING.sub(lambda match: match[0] + _BREAK, text)


def code(text: str) -> str:
    """Text as a code span, in which nothing is a link, a mention or markup."""
    text = _one_line(text, _MOST_CHARACTERS) or "-"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _one_line(text: str, most: int) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
