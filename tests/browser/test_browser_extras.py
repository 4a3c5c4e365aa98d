"""What the script adds: filter, expand all, copy, and values read off the figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")

from qa_runner.data_folder import data_folder
from qa_runner.store import RunReader

if TYPE_CHECKING:
    from browsing import Reports, Seen, Show

POINT = """
(svg) => {
  const held = svg.querySelector("[data-series=success] path");
  const [x, y] = held.getAttribute("d").match(/-?[\\d.]+/g).map(Number);
  const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  return [at.x, at.y];
}
"""


def test_the_script_is_small() -> None:
    assert (data_folder("templates") / "report.js").stat().st_size < 8192


def test_criteria_are_filtered_by_verdict(show: Show, reports: Reports) -> None:
    with show(reports["failing"]) as seen:
        group = seen.page.get_by_role("group", name="Show criteria by verdict")
        counts = {
            name: int(re.findall(r"\d+", group.get_by_role("button", name=name).inner_text())[0])
            for name in ("all", "FAIL", "INCONCLUSIVE", "PASS")
        }
        assert counts["all"] == sum(counts[name] for name in ("FAIL", "INCONCLUSIVE", "PASS"))
        for name in ("FAIL", "PASS", "INCONCLUSIVE"):
            chosen = group.get_by_role("button", name=name)
            chosen.focus()
            seen.page.keyboard.press("Enter")
            assert chosen.get_attribute("aria-pressed") == "true"
            assert group.locator("[aria-pressed=true]").count() == 1
            assert _verdicts(seen) == [name] * counts[name]
            assert seen.status == f"{counts[name]} of {counts['all']} criteria are shown."
        group.get_by_role("button", name="all").click()
        assert seen.status == f"{counts['all']} of {counts['all']} criteria are shown."
        assert set(_verdicts(seen)) == {"FAIL", "INCONCLUSIVE"}
        seen.page.locator("#criteria summary").click()
        assert len(_verdicts(seen)) == counts["all"]
        group.get_by_role("button", name="FAIL").click()
        group.get_by_role("button", name="all").click()
        assert len(_verdicts(seen)) == counts["all"], "what the reader had opened stays open"


def _verdicts(seen: Seen) -> list[str]:
    """Those of the rows that one can see."""
    return seen.page.evaluate(
        "() => [...document.querySelectorAll('#criteria tr[data-verdict]')]"
        ".filter(row => row.checkVisibility()).map(row => row.dataset.verdict)"
    )


def test_all_is_expanded_and_collapsed(show: Show, reports: Reports) -> None:
    with show(reports["failing"]) as seen:
        count = seen.page.locator("main details").count()
        expand = seen.page.get_by_role("button", name="Expand all")
        expand.focus()
        seen.page.keyboard.press("Space")
        assert seen.page.locator("main details[open]").count() == count > 10
        assert seen.status == "All details are shown."
        seen.page.get_by_role("button", name="Collapse all").click()
        assert seen.page.locator("main details[open]").count() == 0
        assert seen.status == "All details are hidden."


def test_commands_and_curl_lines_are_copied(show: Show, reports: Reports) -> None:
    with show(reports["failing"]) as seen:
        seen.page.get_by_role("button", name="Copy the command that runs step 3 again").click()
        assert _clipboard(seen) == "qa-runner rerun run-20261121-100000 --step 3"
        seen.page.locator("#errors summary", has_text="Send such a request again").click()
        curl = seen.page.get_by_role("button", name="Copy the curl line of cause 1")
        curl.focus()
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_function("document.querySelector('[role=status]').textContent")
        assert seen.status == "Copied: the curl line of cause 1."
        assert _clipboard(seen).startswith("curl -i -X POST http://127.0.0.1:8123/finances/")
        assert seen.console == []


def _clipboard(seen: Seen) -> str:
    return seen.page.evaluate("navigator.clipboard.readText()")


def test_where_the_clipboard_is_refused_the_text_is_selected(show: Show, reports: Reports) -> None:
    refuse = (
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false;"
    )
    with show(reports["single_step"], before=refuse) as seen:
        seen.page.get_by_role("button", name="Copy the command that runs step 2 again").click()
        seen.page.wait_for_function("document.querySelector('[role=status]').textContent")
        assert seen.status.startswith("Selected: ")
        selected = seen.page.evaluate("getSelection().toString()")
        assert selected == "qa-runner rerun run-20261121-100000 --step 2"


@pytest.fixture
def first_request(reports: Reports) -> float:
    """Response time of the first request of step 2, in milliseconds."""
    samples = RunReader(reports["single_step"].parent).all_samples()
    assert samples.text("part")[0] == "2.1"
    return 1000 * float(samples.number("finished")[0] - samples.number("due")[0])


def test_the_pointer_reads_the_value_of_the_nearest_point(
    show: Show, reports: Reports, first_request: float
) -> None:
    with show(reports["single_step"]) as seen:
        svg = seen.page.locator("#step-2 .drawing svg")
        readout = seen.page.locator("#step-2 .readout")
        svg.scroll_into_view_if_needed()
        assert not readout.is_visible()
        seen.page.mouse.move(*_place(svg))
        assert readout.is_visible()
        _reads(readout.inner_text(), first_request)
        assert seen.status == ""
        seen.page.mouse.move(0, 0)
        assert not readout.is_visible()


def test_the_keys_read_the_values_one_by_one(
    show: Show, reports: Reports, first_request: float
) -> None:
    with show(reports["single_step"]) as seen:
        seen.page.get_by_role("group", name="Figure: Response time by request").focus()
        seen.page.keyboard.press("ArrowRight")
        _reads(seen.status, first_request)
        seen.page.keyboard.press("ArrowRight")
        assert seen.status.startswith("success: request 2, ")
        seen.page.keyboard.press("ArrowLeft")
        _reads(seen.status, first_request)
        seen.page.keyboard.press("Enter")
        assert seen.status.startswith("drift ")
        seen.page.keyboard.press("Tab")
        assert not seen.page.locator("#step-2 .readout").is_visible()


def _place(svg: Any) -> tuple[float, float]:
    x, y = svg.evaluate(POINT)
    return x, y


def _reads(text: str, milliseconds: float) -> None:
    match = re.fullmatch(r"success: request 1, ([\d.]+) ms", text)
    assert match, text
    # The figure is precise to a tenth of a point.
    assert float(match[1]) == pytest.approx(milliseconds, rel=0.02)


def test_each_figure_of_a_run_can_be_read(show: Show, reports: Reports) -> None:
    with show(reports["failing"]) as seen:
        said = {}
        for region in seen.page.locator(".drawing:has(svg[data-axes])").all():
            name = region.get_attribute("aria-label") or ""
            region.focus()
            seen.page.keyboard.press("ArrowRight")
            said[name.removeprefix("Figure: ")] = seen.status
        assert "NaN" not in str(said)
        assert "undefined" not in str(said)
        assert re.fullmatch(r"success: 0:\d\d\.\d, [\d.]+ req/s", said["The run at a glance"])
        assert len(said) == len({*said.values()}) == 8
