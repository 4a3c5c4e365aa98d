"""What somebody else wrote is shown in every form, does nothing there, and stays bounded."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from qa_runner.report.forms.actions import annotation_lines, job_summary
from qa_runner.report.forms.registry import FORMATS, write
from qa_runner.report.forms.story import Story

FORMS = frozenset(FORMATS) - {"html"}
# Control characters but tab and newline, what reorders or hides text, what is no character.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe]"
)


@pytest.fixture(scope="module")
def written(stories: dict[str, Story]) -> dict[str, Path]:
    paths = write(stories["hostile"].folder, FORMS)
    return {path.name: path for path in paths}


def test_every_file_is_utf_8_with_nothing_hidden_in_it(written: dict[str, Path]) -> None:
    assert set(written) == {
        *("junit.xml", "ctrf-report.json", "summary.md", "result.json"),
        *("samples.csv", "series.csv", "criteria.csv"),
    }
    for name, path in written.items():
        text = path.read_bytes().decode("utf-8")
        ends = "\r\n" if path.suffix == ".csv" else "\n"
        found = HIDDEN.search(text.replace(ends, "\n"))
        assert found is None, (name, found)
        assert "<U+202E>" in text.replace("&lt;", "<").replace("&gt;", ">")


def test_megabytes_stay_small(written: dict[str, Path]) -> None:
    sizes = {name: path.stat().st_size for name, path in written.items()}
    assert sizes["summary.md"] < 10_000
    for name in ("junit.xml", "ctrf-report.json", "result.json"):
        assert sizes[name] < 1_000_000, name
    for name in ("samples.csv", "series.csv", "criteria.csv"):
        with written[name].open(encoding="utf-8", newline="") as file:
            longest = max(len(cell) for row in csv.reader(file) for cell in row)
        assert longest < 32_767, name


def test_xml_and_json_read_back(written: dict[str, Path]) -> None:
    root = ET.parse(written["junit.xml"]).getroot()  # noqa: S314 (ours)
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "properties", "property", "testcase"),
        *("failure", "error", "skipped", "system-out", "system-err"),
    }
    values = [value for element in root.iter() for value in element.attrib.values()]
    assert any("<script>alert(1)</script>" in value for value in values)
    assert "<script" not in written["junit.xml"].read_text("utf-8")
    for name in ("ctrf-report.json", "result.json"):
        assert json.loads(written[name].read_text("utf-8"))


def test_no_cell_is_a_formula_and_each_row_is_whole(written: dict[str, Path]) -> None:
    for name in ("samples.csv", "series.csv", "criteria.csv"):
        with written[name].open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file, strict=True))
        assert rows
        for row in rows:
            assert len(row) == len(header)
            for cell in row:
                # A number is no formula, and has no apostrophe.
                number = re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
                assert number or not cell.startswith(
                    ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")
                )
        text = written[name].read_bytes()
        assert text.endswith(b"\r\n")
        assert not re.search(rb"\r(?!\n)", text)


def test_the_workflow_sees_one_command_a_line(stories: dict[str, Story]) -> None:
    lines = annotation_lines(stories["hostile"])
    assert lines
    for line in lines:
        command, properties, _ = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line, re.DOTALL).groups()
        assert command in ("error", "warning")
        assert properties.startswith("title=")
        assert "," not in properties
        assert not set(line) & set("\r\n")
        assert not HIDDEN.search(line)
    summary = job_summary(stories["hostile"])
    assert len(summary.splitlines()) <= 10
    tokens = [child for token in MarkdownIt().parse(summary) for child in token.children or []]
    assert {token.type for token in tokens} <= {
        *("text", "code_inline", "softbreak", "strong_open", "strong_close"),
    }


def test_twice_the_same_bytes(stories: dict[str, Story], written: dict[str, Path]) -> None:
    before = {path: path.read_bytes() for path in written.values()}
    picture = stories["hostile"].folder / "figures" / "timeline.png"
    before[picture] = picture.read_bytes()
    for path in before:
        path.unlink()
    write(stories["hostile"].folder, FORMS)
    assert {path: path.read_bytes() for path in before} == before
