"""The reports in a real browser: quiet, complete, readable for everybody, nothing too wide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

from browsing import NAMES  # noqa: E402 (after the check that it can be imported)

if TYPE_CHECKING:
    from browsing import Reports, Seen, Show

STRICT = "default-src 'none'"
FIGURES = """
() => [...document.querySelectorAll("svg[role=img]")].map(svg => {
  const box = svg.getBoundingClientRect();
  return [box.width > 20 && box.height > 5, svg.textContent.slice(0, 40)];
})
"""
DANGLING = """
() => [...document.querySelectorAll("a[href^='#']")].map(a => a.getAttribute("href"))
  .filter(href => !document.getElementById(decodeURIComponent(href.slice(1))))
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_is_quiet_asks_for_nothing_and_is_for_everybody(
    show: Show, reports: Reports, name: str, width: int, scheme: str
) -> None:
    with show(reports[name], width=width, scheme=scheme) as seen:
        assert seen.overflow == 0
        assert seen.page.evaluate(DANGLING) == []
        assert all(drawn for drawn, _ in seen.page.evaluate(FIGURES))
        dark = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark != "rgb(255, 255, 255)") == (scheme == "dark")
        seen.keep(f"{name}-{width}-{scheme}")
        seen.page.locator("button.expand").click()
        assert seen.overflow == 0
        assert _violations(axe.Axe().run(seen.page).response) == []
        assert seen.console == []
        assert seen.requests == []


def _violations(found: dict[str, Any]) -> list[str]:
    """All that axe objects to, and not only what is serious."""
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


@pytest.mark.parametrize("name", NAMES)
def test_without_scripts_or_styles_everything_is_still_said(
    show: Show, reports: Reports, name: str
) -> None:
    """As a reader shows it who has scripts off, and as Jenkins does, which allows no styles."""
    with show(reports[name]) as free:
        said, figures = _said(free), free.page.evaluate(FIGURES)
    assert figures
    with show(reports[name], scripts=False) as off:
        assert off.page.locator("button").count() == 0
        assert _said(off) == said
        assert off.overflow == 0
    with show(reports[name], policy=STRICT) as strict:
        assert strict.page.locator("button").count() == 0
        assert _said(strict) == said
        assert strict.page.evaluate(FIGURES) == figures
        strict.keep(f"{name}-strict-policy")


def _said(seen: Seen) -> str:
    """All text but that of controls and scripts; the words of verdicts and figures are in it."""
    text = seen.page.evaluate(
        """() => {
          const whole = document.body.cloneNode(true);
          const made = "script, button, [role=status], .readout, .counts";
          whole.querySelectorAll(made).forEach(held => held.remove());
          return whole.textContent;
        }"""
    )
    return " ".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_it_prints_with_all_details_and_without_cut_charts(
    show: Show, reports: Reports, name: str, tmp_path: Path
) -> None:
    with show(reports[name]) as seen:
        data = seen.page.pdf(format="A4", prefer_css_page_size=True)
        assert data.startswith(b"%PDF")
        pages = len(re.findall(rb"/Type\s*/Page\b", data))
        assert 1 < pages < 60
        # What is inside the margins of A4, at 96 dots per inch.
        seen.page.set_viewport_size({"width": 688, "height": 1017})
        seen.page.emulate_media(media="print")
        assert seen.overflow == 0
        assert seen.page.evaluate(
            "() => Math.max(...[...document.querySelectorAll('.drawing svg')]"
            ".map(svg => svg.getBoundingClientRect().height))"
        ) < 1017  # fmt: skip
        hidden = seen.page.evaluate(
            "() => [...document.querySelectorAll('main details:not(.raw) > :not(summary, button)')]"
            ".filter(held => !held.checkVisibility()).length"
        )
        assert hidden == 0
        assert not any(button.is_visible() for button in seen.page.locator("button").all())
        assert seen.page.evaluate(
            "getComputedStyle(document.querySelector('thead')).display"
        ) == "table-header-group"  # fmt: skip
        seen.keep(f"{name}-printed")
