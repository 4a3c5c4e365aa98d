"""The HTML page of a load: one file, whole, and only what there is to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ad_hoc_bench import invoke
from answering_site import Answer, AnsweringSite

Serve = Callable[..., AnsweringSite]


def test_a_page_of_a_load_that_fails(site: Serve, tmp_path: Path) -> None:
    server = site(lambda _seen, n: Answer(503 if n % 4 == 0 else 200))
    file = tmp_path / "page.html"
    done = invoke(
        *(server.url, "-n", "40", "-u", "2", "--expect", "success_rate == 100 %"),
        *("--expect", "response_time p(95) < 20 s", "--report", str(file)),
    )
    assert done.exit_code == 1
    assert done.stdout.rstrip().endswith(f"report {file}")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    text = file.read_text()
    assert f"<title>{server.url}</title>" in text
    for words in ("FAIL", "success_rate == 100 %", "75 %", "2 virtual users", "server error 503"):
        assert words in text
    body = text.partition("</style>")[2]
    for words in ("Server CPU", "Database", "not measured", "rerun", ".png", "samples/"):
        assert words not in body
    assert text.count("<svg") >= 4
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= ids
    # Nothing is loaded from anywhere.
    assert not re.findall(r'(?:src|href)="(?!#)', text)


def test_what_a_link_leads_to_is_replaced_and_not_the_link(site: Serve, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    link = tmp_path / "latest.html"
    link.symlink_to(tmp_path / "kept" / "page.html")
    assert invoke(site().url, "-n", "10", "--report", str(link), "--quiet").exit_code == 0
    assert link.is_symlink()
    assert link.read_text().startswith("<!DOCTYPE html>")


def test_a_page_without_expectations_has_no_verdict(site: Serve, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("an older one")
    server = site()
    assert invoke(server.url, "-n", "10", "--report", str(file), "--quiet").exit_code == 0
    text = file.read_text()
    assert f"<title>{server.url}</title>" in text
    body = text.partition("</style>")[2].partition("Glossary")[0]
    for words in ("SKIPPED", "INCONCLUSIVE", "Expectations", "What went wrong"):
        assert words not in body
    assert "Every request succeeded." in body
