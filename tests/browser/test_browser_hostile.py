"""What others wrote stays text: in a browser no script of theirs runs and nothing is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")

from report.run_factory import Factory, plans

from qa_runner.report.html import render
from qa_runner.result import DataTable, TargetResult
from qa_runner.table import SERIES, Table

if TYPE_CHECKING:
    from browsing import Show

EVIL = (
    "</script></style></svg></title><script>window.ran = 1</script>"
    "<img src=//evil.example/a onerror='window.ran = 2'><svg onload='window.ran = 3'>"
    "<iframe srcdoc='<script>parent.ran = 4</script>'></iframe><base href=//evil.example>"
    "<meta http-equiv=refresh content='0;url=http://evil.example'>"
    "<link rel=stylesheet href=//evil.example/b> {{ 7 * 7 }} "
    "\" autofocus onfocus=\"window.ran = 5\" ' onclick='window.ran = 6' javascript:window.ran=7 "
    "]]><!-- --!> &lt;b&gt; \x00\x07\x1b[31m\x7f\x85\u2028 \u202egnp.exe\u2066 \udcff \ufffe"
)
LONG = "W" * 3_000_000


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Markup, scripts and megabytes wherever a run takes texts from outside."""
    factory = Factory(
        tmp_path_factory.mktemp("hostile") / "run",
        test_name=EVIL,
        description=EVIL,
        stop_reason=EVIL,
        status="crashed",
        notes=[EVIL, LONG],
        settings={EVIL: {EVIL: [EVIL, LONG]}},
        environment={EVIL: EVIL, "PATH": LONG},
        excluded=[EVIL, LONG],
        overrides=[EVIL],
        target=TargetResult(
            name=EVIL,
            url=f"javascript:window.ran = 8;//{EVIL}",
            environment=LONG,
            faults=[EVIL],
            version=EVIL,
            facts={EVIL: LONG},
        ),
    )
    listed = [plan for plan in plans(0.8, 0.05) if plan.part.startswith("3.")]
    for plan in listed:
        plan.title = plan.shape = EVIL
    step = factory.step(3, listed)
    step.title = step.purpose = step.stale = EVIL
    step.attempts[0].error = step.attempts[0].reason = EVIL
    for number, part in enumerate(step.attempts[0].parts):
        held = EVIL if number % 2 else LONG
        part.title, part.error, part.source, part.notes = held, held, held, [EVIL, LONG]
        part.tables = [DataTable(name="x", title=held, columns=[held, EVIL], rows=[[held, EVIL]])]
        request = f"POST http://evil.example/{EVIL}\nX-{EVIL}: {LONG}\n\n{EVIL}{LONG}"
        part.loads = [msgspec.structs.replace(load, request=request) for load in part.loads]
        part.criteria = [
            msgspec.structs.replace(one, reason=held, note=EVIL, wish=EVIL) for one in part.criteria
        ]
    log = {"session": np.ones(3), "time": np.array([1.0, 2.0, 3.0])}
    texts = {"kind": ["lock", EVIL, "error"], "text": [EVIL, EVIL, LONG]}
    factory.writer.append_series("log", Table(SERIES["log"], log | texts))
    folder = factory.write()
    texts_file = folder / "samples" / "step-3-attempt-1.jsonl"
    markup = rb"<img src=x onerror=window.ran=9>\u0000\u202e\udcff" + b"V" * 200_000
    texts_file.write_bytes(texts_file.read_bytes().replace(b"database is locked", markup))
    return render(folder)


@pytest.mark.parametrize("width", [1280, 390])
def test_no_script_of_theirs_runs_and_nothing_is_asked_for(
    show: Show, hostile: Path, width: int
) -> None:
    assert hostile.stat().st_size < 1_000_000
    with show(hostile, width=width) as seen:
        seen.keep(f"hostile-{width}", whole=False)
        seen.page.locator("button.expand").click()
        for button in seen.page.locator("button.filter, button.copy").all():
            button.click()
        for region in seen.page.locator(".drawing").all():
            region.hover()
            region.focus()
            seen.page.keyboard.press("ArrowRight")
        assert seen.page.evaluate("window.ran") is None
        assert (
            seen.page.locator("main img, main iframe, main base, main link, main meta").count() == 0
        )
        assert seen.page.locator("script").count() == 1
        assert seen.overflow == 0
        assert seen.dialogs == []
        assert seen.requests == []
        assert seen.console == []
        said = seen.page.locator("body").inner_text()
        assert "<script>window.ran = 1</script>" in said
        assert "<U+202E>gnp.exe" in said
        assert "{{ 7 * 7 }}" in said
