"""The Markdown summary: short, complete, and nothing in it acts."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from forms_runs import HOSTILE, small
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from qa_runner.report.forms.markdown import code, escaped, markdown
from qa_runner.report.forms.registry import write
from qa_runner.report.forms.story import Story

PLAIN = {"text", "code_inline", "softbreak"}
OURS = PLAIN | {"strong_open", "strong_close", "link_open", "link_close", "image"}


def inline(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [child for token in parser.parse(text) for child in token.children or []]


def said(text: str) -> str:
    """What a reader sees, without the invisible spaces."""
    return "".join(token.content for token in inline(text)).replace("\u200b", "")


def test_at_most_ten_lines_with_one_picture_and_the_report(story: Story) -> None:
    lines = markdown(story).decode().splitlines()
    assert len(lines) <= 10
    tokens = inline("\n".join(lines))
    assert {token.type for token in tokens} <= OURS
    assert [str(t.attrs["src"]) for t in tokens if t.type == "image"] == ["figures/timeline.png"]
    assert [str(t.attrs["href"]) for t in tokens if t.type == "link_open"] == ["report.html"]
    assert all(len(line) < 2000 for line in lines)


def test_it_tells_the_story(stories: dict[str, Story]) -> None:
    text = markdown(stories["failing"]).decode()
    lines = text.splitlines()
    assert lines[0] == "### ✗ FAIL: PURCHASE-006 Purchase API performance"
    assert "criteria failed" in lines[1]
    assert "`http://127.0.0.1:8123`" in lines[1]
    assert "2026-11-21 10:00:00 +01:00, 6 min 42 s" in lines[1]
    assert lines[2] == (
        "- ✗ **`3.1-success-rate`** `success_rate == 100 %`: measured 80 %, limit == 100 %"
    )
    assert "more" in lines[5]
    assert lines[6].startswith("- **Likely cause:** ")


@pytest.mark.parametrize("reason", ["# big", "> said", "- item", "1. one", "---", "    code"])
def test_a_reason_begins_no_block(
    stories: dict[str, Story], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocks() -> list[str]:
        text = markdown(stories["passing"]).decode()
        return [token.type for token in MarkdownIt("commonmark").parse(text)]

    before = blocks()
    monkeypatch.setattr(Story, "reason", reason)
    assert blocks() == before


def test_a_pass_names_no_cause(stories: dict[str, Story]) -> None:
    text = markdown(stories["passing"]).decode()
    assert text.startswith("### ✓ PASS: PURCHASE-006")
    assert "cause" not in text
    assert len(text.splitlines()) == 5


def test_links_lead_to_files_and_the_picture_is_that_of_the_page(tmp_path: Path) -> None:
    folder = small(tmp_path / "run")
    picture = folder / "figures" / "timeline.png"
    write(folder, frozenset({"markdown"}))
    alone = picture.read_bytes()
    assert alone.startswith(b"\x89PNG")
    write(folder, frozenset({"html"}))
    assert picture.read_bytes() == alone
    tokens = inline((folder / "summary.md").read_text(encoding="utf-8"))
    paths = [str(t.attrs.get("src") or t.attrs["href"]) for t in tokens if t.attrs]
    assert paths == ["report.html", "figures/timeline.png"]
    assert all((folder / path).is_file() for path in paths)


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "![x](http://e.example/p.png)",
        "[x](http://e.example)",
        "[x]: http://e.example",
        "<http://e.example>",
        "<b>x</b>",
        "a | b",
        "``` x",
        "**bold** __bold__ ~~gone~~",
        "\\`x\\`",
        "&copy; &#64;",
    ],
)
def test_a_text_is_shown_and_does_nothing(text: str) -> None:
    for shown in (f"before {escaped(text)}", f"before {code(text)} after"):
        assert {token.type for token in inline(shown)} <= PLAIN
        assert "\n" not in shown


def test_what_is_shown_is_what_was_there() -> None:
    for text in ("a*b_c`d[e](f) <g> &h; #1 @i x://y", "success_rate == 100 %", "`", "a`b``c"):
        assert said(f"x {escaped(text)}") == f"x {text}"
        assert said(f"x {code(text)}") == f"x {text}"


@pytest.mark.parametrize("text", ["@octocat", "o/r#12", "#12", "GH-12", "http://e.x", "www.e.x"])
def test_nothing_becomes_a_mention_or_a_link_on_a_service(text: str) -> None:
    shown = html.unescape(escaped(f"a {text} b"))
    assert text not in shown
    assert text in shown.replace("\u200b", "")


@given(st.text(max_size=80))
def test_any_text_is_inert(text: str) -> None:
    for shown in (f"x {escaped(text)}", f"x {code(text)} y"):
        assert {token.type for token in inline(shown)} <= PLAIN
