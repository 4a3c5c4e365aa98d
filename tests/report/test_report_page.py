"""The page: its order and anchors, its links, its safety, its sameness."""

from __future__ import annotations

import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
import run_factory
from run_factory import FIGURES, Factory, criterion, fill, plans, session, whole

from qa_runner.check_result import CheckResult, Level
from qa_runner.data_folder import data_folder
from qa_runner.errors import OutputError, RunFolderError
from qa_runner.report.html import page, render
from qa_runner.result import DataTable, Session, StepResult
from qa_runner.store import RunReader
from qa_runner.verdict import Verdict

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What tests ask of a page; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if found.get("href"):
            self.hrefs.append(str(found["href"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data


def check(text: str) -> Page:
    """What holds for every page."""
    found = Page(text)
    assert len(found.ids) == len(set(found.ids))
    for href in found.hrefs:
        assert not re.match(r"(?i)[a-z]+:|//|/", href), href
        if href.startswith("#"):
            assert href[1:] in found.ids, href
    for tag, attributes in found.tags:
        assert tag not in {"iframe", "object", "embed", "link", "base", "form", "img", "button"}
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes
        assert (tag == "svg") <= (attributes.get("role") == "img")
        for value in attributes.values():
            assert not re.search(r"url\((?!#)", value or "")
    assert text.count("<style>") == 1
    # Ours, at the end of the page, and no other.
    js = (data_folder("templates") / "report.js").read_text(encoding="utf-8")
    assert text.count("<script") == 1
    assert text.endswith(f"<script>\n{js}\n</script>\n</body>\n</html>\n")
    assert not re.search(r"@import|url\((?!#)", text.partition("</style>")[0])
    before = 0
    for level in found.headings:
        assert level <= before + 1
        before = level
    assert found.headings.count(1) == 1
    return found


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = whole(tmp_path_factory.mktemp("page") / "run")
    render(folder)
    return folder


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = whole(tmp_path_factory.mktemp("page") / "run", failing=0.8, scale=0.2)
    render(folder)
    return folder


def text_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_sections_stand_in_the_specified_order(passing: Path) -> None:
    found = check(text_of(passing))
    wanted = ["criteria", "wrong", "glance", "steps", "errors", "trust", "appendix"]
    assert [name for name in found.ids if name in wanted] == wanted
    anchors = [name for name in found.ids if re.fullmatch(r"(step|part)-[\d.]+", name)]
    assert anchors[:3] == ["step-1", "part-1.1", "part-1.2"]
    assert anchors[-3:] == ["step-8", "part-8.1", "part-8.2"]
    assert [name for name in anchors if name.startswith("step")] == [
        f"step-{number}" for number in range(1, 9)
    ]


def test_a_passing_run_says_so_in_words(passing: Path) -> None:
    text = text_of(passing)
    assert "PASS — PURCHASE-006</h1>" in text
    assert "Nothing: every criterion that was judged has passed." in text
    assert "2026-11-21 10:00:00 +01:00" in text
    assert "6 min 42 s" in text


def test_every_figure_is_drawn_inline_and_as_png(passing: Path) -> None:
    text = text_of(passing)
    names = {figure for *_, figure in FIGURES} | {"timeline"}
    assert {path.name for path in (passing / "figures").iterdir()} == {f"{n}.png" for n in names}
    for name in names:
        data = (passing / "figures" / f"{name}.png").read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(data) > 5000
        assert b"Software" not in data
        assert text.count(f'aria-labelledby="figure-{name}-title figure-{name}-desc"') == 1
    assert "not measured:" not in text


def test_repeated_single_requests_are_one_line(passing: Path) -> None:
    text = text_of(passing)
    assert text.count("back to back, 8 times (probe): 8 success") == 1


def test_a_full_run_stays_below_a_megabyte(passing: Path) -> None:
    assert len(RunReader(passing).all_samples()) > 6000
    assert (passing / "report.html").stat().st_size < 1_000_000


def test_failures_come_first_and_link_to_their_evidence(failing: Path) -> None:
    text = text_of(failing)
    check(text)
    table = text[text.index('id="criteria"') : text.index('id="wrong"')]
    verdicts = re.findall(r'<tr role="row" class="(\w+)" ', table)
    order = ["fail", "inconclusive", "pass"]
    assert verdicts == sorted(verdicts, key=order.index)
    assert set(verdicts) == set(order)
    ids = re.findall(r'<a href="#((?:part|step)-[\d.]+)">([\d.]+-[\w.-]+)</a>', table)
    assert ("part-3.1", "3.1-success-rate") in ids
    assert ("step-3", "3-success-rate") in ids
    assert len(ids) == len(verdicts)


def test_what_went_wrong_names_cause_evidence_and_remedy(failing: Path) -> None:
    text = text_of(failing)
    section = Page(text[text.index('<section id="wrong"') : text.index('<section id="glance"')])
    said = " ".join(section.text.split())
    assert (
        "3.1-success-rate: 20 % instead of 100 %: 4 of 5 requests in 3.1 (88 of 110 in 4 parts) "
        "were answered with “database is locked” after" in said
    )
    assert "Also affected: 3.1-lock-errors, 3.2-success-rate" in said
    assert (
        "SQLite refuses at once to let a transaction write that has read before another one wrote"
        in said
    )
    assert '"transaction_mode": "IMMEDIATE"' in said
    assert "could not be judged: no database probe was connected." in said
    assert "#part-3.1" in section.hrefs
    assert said.count("Evidence") <= 5


def test_errors_are_grouped_with_an_example_and_a_command(failing: Path) -> None:
    text = text_of(failing)
    section = Page(text[text.index('<section id="errors"') : text.index('<section id="trust"')])
    said = " ".join(section.text.split())
    assert said.count("\u00d7") == 1
    assert "server error 500: database is locked" in said
    assert '{"success": false, "error": "database is locked"}' in said
    assert "curl -i -X POST http://127.0.0.1:8123/finances/api/purchase/initiate/ -H" in said
    assert '"name": "Tester 1", "email": "qa-r1a1-1@example.com"' in said


def test_rendering_again_moved_and_renamed_gives_the_same_bytes(
    failing: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in (failing / "figures").iterdir()}
    text = text_of(failing)
    moved = tmp_path / "somewhere else" / "old run"
    shutil.copytree(failing, moved)
    shutil.rmtree(moved / "figures")
    assert render(moved) == moved / "report.html"
    assert text_of(moved) == text
    assert {path.name: path.read_bytes() for path in (moved / "figures").iterdir()} == before
    assert str(failing) not in text
    assert failing.parent.name not in text


def test_a_scoped_run_never_speaks_for_the_case(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", scope="profile smoke", profile="smoke")
    factory.step(2, [plan for plan in plans() if plan.part.startswith("2.")])
    text = page(RunReader(factory.write()))
    check(text)
    assert "PASS — profile smoke of PURCHASE-006</h1>" in text
    assert "PASS — PURCHASE-006" not in text


def test_an_interrupted_run_shows_what_there_is(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="interrupted", stop_reason="Ctrl-C")
    run_factory.fill(factory, upto=4, scale=0.05)
    text = page(RunReader(factory.write()))
    found = check(text)
    assert "Interrupted during step 4 Sustained load: Ctrl-C. What was measured is below." in text
    assert "step-4" in found.ids


def test_a_crashed_step_shows_its_cause(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="crashed", stop_reason="TypeError: no")
    step = factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    step.attempts[-1].error = "TypeError: unsupported operand"
    step.attempts[-1].parts[0].error = "TypeError: unsupported operand"
    text = page(RunReader(factory.write()))
    check(text)
    assert "Crashed during step 2 Single requests: TypeError: no." in text
    assert text.count("TypeError: unsupported operand") >= 3
    assert "Step 2 could not run: TypeError: unsupported operand" in text


def test_a_run_that_has_only_begun_renders(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="running", finished="", facts=[])
    text = page(RunReader(factory.write()))
    check(text)
    assert "This run has not finished. What was measured is below." in text
    assert "INCONCLUSIVE — PURCHASE-006" in text
    assert "No criterion was judged." in text
    assert "not measured: no requests were sent" in text


def test_a_run_that_sent_and_judged_nothing_is_no_success(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="interrupted", stop_reason="Ctrl-C")
    text = page(RunReader(factory.write()))
    assert "Every request succeeded." not in text
    assert "No request was sent." in text
    assert "every criterion that was judged has passed" not in text
    assert "This is not known: no criterion was judged." in text


def test_the_reason_is_the_stored_one(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    factory.write()
    factory.run.reason = "Because of what the run itself said."
    factory.writer.write_result(factory.run)
    text = page(RunReader(factory.folder))
    assert '<p class="reason">Because of what the run itself said.</p>' in text


def test_a_criterion_shows_both_its_reason_and_its_note(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    step = factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    held = step.attempts[0].parts[0].criteria
    held[0] = msgspec.structs.replace(
        held[0], verdict=Verdict.ERROR, reason="the generator was busy", note="9 of 10 were late"
    )
    text = page(RunReader(factory.write()))
    table = text[text.index('id="criteria"') : text.index('id="wrong"')]
    assert table.index("the generator was busy") < table.index("9 of 10 were late")


def test_what_passed_is_folded_beneath_what_failed(failing: Path, passing: Path) -> None:
    text = text_of(failing)
    table = text[text.index('id="criteria"') : text.index('id="wrong"')]
    first, _, folded = table.partition('<details class="passed">')
    assert 'data-verdict="FAIL"' in first
    assert 'data-verdict="INCONCLUSIVE"' in first
    assert 'data-verdict="PASS"' not in first.partition("<table")[2]
    assert set(re.findall(r'<tr [^>]*data-verdict="(\w+)"', folded)) == {"PASS"}
    count = folded.count("<tr role") - 1
    assert f"<summary>{count} criteria passed</summary>" in folded


def not_reached(number: int) -> StepResult:
    return StepResult(
        number=number,
        title="Later",
        purpose="",
        figure="",
        chart="",
        verdict=Verdict.INCONCLUSIVE,
        unreached=[criterion(f"{number}.1", "success_rate == 100 %", None)],
    )


def test_what_was_not_reached_or_only_needed_is_folded_apart(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="interrupted", stop_reason="by Ctrl-C")
    factory.step(1, plans()[:2])
    factory.run.steps[-1].selected = False
    factory.step(2, [plan for plan in plans() if plan.part.startswith("2.")])
    factory.run.steps.append(not_reached(3))
    text = page(RunReader(factory.write()))
    table = text[text.index('id="criteria"') : text.index('id="wrong"')]
    assert "<summary>Not reached · 1 criterion inconclusive</summary>" in table
    assert "<summary>Prerequisites, not part of this run · " in table
    # They do not count.
    counts = table.partition('class="counts"')[2].partition("</p>")[0]
    selected = [held for step in factory.run.steps if step.selected for held in step.criteria()]
    assert sum(int(held) for held in re.findall(r">(\d+) ", counts)) == len(selected)


def test_what_was_not_reached_is_listed_once_where_all_else_passed(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", status="running")
    fill(factory, scale=0.02, upto=4)
    factory.run.steps.append(not_reached(5))
    text = page(RunReader(factory.write()))
    table = text[text.index('id="criteria"') : text.index('id="wrong"')]
    folded = re.findall(r"<summary>(.+) · \d+ criteri", table)
    assert [words.partition(":")[0] for words in folded] == [
        *(f"Step {number}" for number in range(1, 5)),
        "Not reached",
    ]
    assert table.count("<tr role") - len(folded) == len(factory.run.criteria())


def test_where_all_passed_each_step_is_folded(passing: Path) -> None:
    text = text_of(passing)
    table = text[text.index('id="criteria"') : text.index('id="wrong"')]
    first, *folded = table.split('<details class="passed">')
    assert "<table" not in first
    steps = [re.findall(r"<summary>Step (\d): .+ · (\d+) criteria passed", held) for held in folded]
    counts = [held.count("<tr role") - 1 for held in folded]
    assert steps == [[(str(at), str(count))] for at, count in enumerate(counts, start=1)]


def test_the_banner_names_the_likely_cause(failing: Path, passing: Path) -> None:
    banner = text_of(failing).partition("</header>")[0]
    assert "<b>Likely cause:</b> 3.1-success-rate: 20 % instead of 100 %" in banner
    assert "Likely cause" not in text_of(passing)


def test_trust_tells_data_mode_and_what_is_left_out(passing: Path, tmp_path: Path) -> None:
    def trust(text: str) -> str:
        section = text[text.index('<section id="trust"') : text.index('<section id="appendix"')]
        return " ".join(re.sub(r"<[^>]+>", " ", section).split())

    said = trust(text_of(passing))
    assert "Data in the target before the run not known" in said
    assert "Debug mode and development server DEBUG off" in said
    assert "Left out of the judgement 3,000 heavy requests, 8 probe requests; no warm-up" in said
    found = [
        CheckResult(id="dataset", title="Dataset", level=Level.NOTE, text="12 rows"),
        CheckResult(id="development", title="Mode", level=Level.WARNING, text="DEBUG is on"),
    ]
    said = trust(page(RunReader(Factory(tmp_path / "run", checks=found).write())))
    assert "Data in the target before the run 12 rows" in said
    assert "Debug mode and development server DEBUG is on" in said
    assert "Left out of the judgement nothing, no warm-up either" in said


def test_what_can_be_copied_is_marked(failing: Path) -> None:
    text = text_of(failing)
    assert text.count('data-copy="the command that runs step 3 again"') == 1
    assert text.count('data-copy="the curl line of cause 1"') == 1


def test_checks_are_a_checklist_and_long_lists_of_facts_take_little_room(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    step = factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    rows: list[list[object]] = [["orphans", 0, 4], ["doubles", 3, 3], ["strays", None, None]]
    facts: list[list[object]] = [[f"fact {number}", number] for number in range(9)]
    step.attempts[0].parts[0].tables = [
        DataTable(name="a", title="Integrity", columns=["check", "new", "before"], rows=rows),
        DataTable(name="b", title="Machine", columns=["what", "value"], rows=facts),
        DataTable(name="c", title="Ragged", columns=["what", "value"], rows=[*facts, ["one"]]),
    ]
    text = page(RunReader(factory.write()))
    check(text)
    part = text[text.index('<section class="part" id="part-2.1"') :].partition("</section")[0]
    said = " ".join(re.sub(r"<[^>]+>", " ", part).split())
    assert "check holds new before orphans ✓ yes 0 4 doubles ✗ no 3 3 strays ? not counted" in said
    assert "Machine fact 0 0 fact 1 1" in said
    assert text.count('<p class="caption">Machine</p>') == 1
    assert text.count('<p class="caption">Ragged</p>') == 0


def test_templates_are_found_in_a_checkout_and_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (data_folder("templates") / "report.html.j2").is_file()
    package = tmp_path / "site-packages" / "qa_runner"
    package.mkdir(parents=True)
    monkeypatch.setattr(sys.modules["qa_runner.data_folder"], "__file__", str(package / "x.py"))
    assert data_folder("templates") == tmp_path / "site-packages" / "templates"
    (package / "templates").mkdir()
    assert data_folder("templates") == package / "templates"


def test_steps_without_series_or_samples_say_what_is_missing(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", facts=[])
    for number in range(1, 9):
        mine = [plan for plan in plans(scale=0.02) if plan.part.startswith(f"{number}.")]
        for plan in mine:
            plan.requests = 0
        factory.step(number, mine, series=False)
    text = page(RunReader(factory.write()))
    check(text)
    for reason in (
        "no request was sent",
        "no requests were sent",
        "the database probe gave no values",
        "the server&#x27;s process was not found",
        "neither the database nor the server counts them",
    ):
        found = reason in text or reason.replace("&#x27;", "'") in text
        assert found, reason


def test_two_attempts_in_two_sessions(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", sessions=[session(1), session(2)])
    for number in (2, 3):
        mine = [plan for plan in plans(scale=0.05) if plan.part.startswith(f"{number}.")]
        factory.step(number, mine)
    factory.now, factory.added = 0.5, 0.0
    mine = [plan for plan in plans(0.8, 0.05) if plan.part.startswith("3.")]
    step = factory.step(3, mine, attempt=2, session_id=2)
    step.stale = "step 2 was run again"
    factory.run.found_with = ["--output", "my runs"]
    text = page(RunReader(factory.write()))
    check(text)
    assert "Attempt 2 of 2 (attempt 1: PASS)" in text
    assert "FAIL — PURCHASE-006" in text
    assert "step 2 was run again" in text
    assert "qa-runner rerun run-20261121-100000 --step 3 --output &#39;my runs&#39;" in text
    assert ">rerun</text>" in text  # the timeline names the second session


HOSTILE = (
    "</script></style><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }} "
    '" onload="x $\\frac{1}{2}$ =HYPERLINK("http://evil.example") \x00\x1b[31m\x85 \u202eevil\u2066'
)


def test_hostile_content_is_shown_as_text(tmp_path: Path) -> None:
    factory = Factory(
        tmp_path / "run",
        test_name=HOSTILE,
        description=HOSTILE,
        stop_reason=HOSTILE,
        status="crashed",
        notes=[HOSTILE, "x" * 100_000],
        settings={HOSTILE: {HOSTILE: [HOSTILE]}},
        environment={HOSTILE: HOSTILE},
        excluded=[HOSTILE],
    )
    listed = [plan for plan in plans(0.8, 0.05) if plan.part.startswith("3.")]
    for plan in listed:
        plan.title = HOSTILE
    step = factory.step(3, listed)
    step.title = step.purpose = HOSTILE
    step.figure = "../../evil"
    for part in step.attempts[0].parts:
        part.notes, part.error, part.source = [HOSTILE], HOSTILE, HOSTILE
        part.tables = [DataTable(name="x", title=HOSTILE, columns=[HOSTILE], rows=[[HOSTILE]])]
    folder = factory.write()
    texts = folder / "samples" / "step-3-attempt-1.jsonl"
    hostile = rb"<b>\udcff\ufffe=1+1 \u202e</b>"
    texts.write_bytes(texts.read_bytes().replace(b"database is locked", hostile))
    report = render(folder)
    text = report.read_text(encoding="utf-8")
    check(text)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>&lt;U+DCFF" not in text
    assert "&lt;b&gt;&lt;U+DCFF&gt;" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "&lt;U+202E&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert "96000 more characters" in text
    assert {path.name for path in (folder / "figures").iterdir()} == {"evil.png", "timeline.png"}
    assert not list(tmp_path.glob("*evil*"))
    assert len(text) < 1_000_000


def test_odd_times_and_unknown_charts_do_not_stop_the_page(tmp_path: Path) -> None:
    factory = Factory(
        tmp_path / "run",
        started="yesterday",
        sessions=[Session(id=1, wall_start="noon", monotonic_start=0.0)],
    )
    step = factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    step.chart, step.figure = "unheard-of", "timeline"
    folder = factory.write()
    render(folder)
    check(text_of(folder))
    assert {path.name for path in (folder / "figures").iterdir()} == {
        "timeline.png",
        "timeline-2.png",
    }


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"run\.json"):
        render(tmp_path)
    folder = whole(tmp_path / "run", scale=0.01)
    (folder / "run.json").write_bytes(b'{"schema_version": 99}')
    with pytest.raises(RunFolderError, match="upgrade"):
        render(folder)


def test_samples_outside_the_folder_are_refused(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    step = factory.step(2, [plan for plan in plans() if plan.part == "2.1"])
    step.attempts[0].samples = "../secret.csv"
    with pytest.raises(RunFolderError, match="damaged"):
        page(RunReader(factory.write()))


def test_a_figures_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run")
    folder = factory.write()
    (folder / "figures").write_text("in the way")
    with pytest.raises(OutputError, match="figures"):
        render(folder)
