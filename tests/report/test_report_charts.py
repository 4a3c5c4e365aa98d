"""Figures: colours, thinning, the shared time axis, and the SVG that goes into the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from run_factory import FIGURES, Factory, Plan, plans, session

from qa_runner.report.charts import palette
from qa_runner.report.charts.canvas import Caption, draw
from qa_runner.report.charts.concurrency import stored_stairs
from qa_runner.report.charts.points import as_number, finite, thin
from qa_runner.report.charts.recovery import band_seconds
from qa_runner.report.charts.timeaxis import TimeAxis
from qa_runner.report.figures import CHARTS, draw_all, file_name
from qa_runner.report.source import Source
from qa_runner.result import DataTable, Fact
from qa_runner.sample_file import SampleWriter
from qa_runner.store import RunReader
from qa_runner.table import SERIES, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    palette.BLUE,
    palette.VERMILION,
    palette.GREEN,
    palette.PURPLE,
    palette.OCHRE,
    palette.GREY,
}


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def css_colours(scheme: int) -> dict[str, str]:
    css = (Path(__file__).parents[2] / "templates" / "report.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    return dict(re.findall(r"--(\w+): (#\w{6})", block))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_in_light_and_dark(scheme: int) -> None:
    colours = css_colours(scheme)
    for colour in COLOURS:
        assert contrast(colour, colours["page"]) >= 3, colour
    for name in ("ink", "quiet", "link", "pass", "fail", "error", "unsure"):
        for ground in ("page", "panel"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_the_ink_is_no_colour_of_a_series() -> None:
    assert palette.INK not in COLOURS
    assert {colour for colour, _ in palette.OUTCOMES.values()} <= COLOURS
    assert len(set(palette.OUTCOMES.values())) >= 8


def test_thinning_keeps_ends_and_outliers() -> None:
    x = np.arange(50_000.0)
    y = np.sin(x)
    y[31_337] = 99.0
    across, up = thin(x, y, 2000)
    assert across.size <= 2000
    assert up.max() == 99.0
    assert (across[0], across[-1]) == (0.0, 49_999.0)
    assert (np.diff(across) > 0).all()
    few = thin(x[:10], y[:10])
    assert few[0].size == 10


def test_only_pairs_of_numbers_are_drawn() -> None:
    nan = float("nan")
    x, y = finite(np.array([1.0, nan, 3.0]), np.array([nan, 2.0, 4.0]))
    assert (x.tolist(), y.tolist()) == ([3.0], [4.0])


def paint(figure: Figure) -> Caption:
    axes = figure.subplots()
    axes.plot(np.arange(500.0), np.arange(500.0) % 7, "o", markersize=3, markeredgewidth=0)
    axes.plot(np.arange(90.0), np.arange(90.0) % 5, "X", color=palette.VERMILION)
    axes.set_title("5 < 6 & $x$")
    return Caption('a "title" <b>', "what & why")


def test_svg_is_fit_for_a_page_with_a_strict_policy() -> None:
    drawing = draw("sample", paint)
    root = ET.fromstring(drawing.svg)  # noqa: S314 (just drawn)
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert root[0].text == 'a "title" <b>'
    assert root.get("role") == "img"
    assert root.get("viewBox")
    assert root.get("width") is None
    tags = {element.tag for element in root.iter()}
    assert not tags & {"style", "metadata", "script", "image"}
    for element in root.iter():
        assert "style" not in element.attrib
        identifier = element.get("id")
        assert identifier is None or identifier.startswith("figure-sample-")
    assert palette.INK not in drawing.svg
    assert "currentColor" in drawing.svg
    assert "http" not in drawing.svg
    assert "5 &lt; 6 &amp; $x$" in drawing.svg
    ids = {element.get("id") for element in root.iter()}
    for reference in re.findall(r'(?:url\(|href=")#([^)"]+)', drawing.svg):
        assert reference in ids


def test_many_points_become_one_path() -> None:
    drawing = draw("sample", paint)
    root = ET.fromstring(drawing.svg)  # noqa: S314
    paths = [element.get("d", "") for element in root.iter("path")]
    dots = [path for path in paths if path.count("h0") > 1]
    assert [path.count("h0") for path in dots] == [500]
    # The crosses keep their form, and it is there once.
    crosses = [element for element in root.iter("path") if element.get("marker-mid")]
    assert [len(re.findall("[ML]", element.get("d", ""))) for element in crosses] == [90]
    assert len(list(root.iter("marker"))) == 1
    assert len(drawing.svg) < 30_000


def test_drawing_twice_gives_the_same_bytes() -> None:
    assert draw("sample", paint) == draw("sample", paint)


def test_file_names_cannot_leave_the_folder() -> None:
    for *_, figure in FIGURES:
        assert file_name(figure, 1) == figure
    assert file_name("../../etc/passwd", 3) == "etc_passwd"
    assert file_name("", 3) == "step-3"
    assert file_name("\u202e..", 3) == "step-3"


def test_every_chart_of_the_document_is_known() -> None:
    assert {chart for _, _, chart, _ in FIGURES} | {"requests"} == set(CHARTS)


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    return Factory(tmp_path / "run", sessions=[session(1), session(2)])


def part_plans(name: str, *, requests: int | None = None) -> list[Plan]:
    found = [plan for plan in plans(scale=0.1) if plan.part.startswith(name)]
    for plan in found:
        if requests is not None and plan.requests:
            plan.requests = requests
    return found


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("requests", [1, 2])
def test_every_chart_copes_with_one_and_two_requests(
    factory: Factory, number: int, requests: int
) -> None:
    factory.step(number, part_plans(f"{number}.", requests=requests))
    source = Source(RunReader(factory.write()))
    drawn = CHARTS[source.run.steps[0].chart]
    data = source.step(source.run.steps[0])
    assert data is not None
    drawing = draw("one", lambda figure: drawn(data, figure))
    assert drawing.caption.description
    assert drawing.caption.rows


def test_requests_without_an_answer_are_drawn_too(factory: Factory) -> None:
    for number in range(1, 9):
        factory.step(number, part_plans(f"{number}.", requests=5))
    folder = factory.write()
    for name in RunReader(folder).sample_names():
        table = RunReader(folder).samples(name)
        data: dict[str, object] = {held: table.number(held) for held in table.columns.numbers}
        data |= {held: table.text(held) for held in table.columns.texts}
        for missing in ("started", "connected", "first_byte", "finished", "status"):
            data[missing] = [float("nan")] * len(table)
        data["outcome"] = ["dropped"] * len(table)
        (folder / name).unlink()
        SampleWriter(folder / name).append(Table(table.columns, data))
    drawings = draw_all(Source(RunReader(folder)))
    glance, drawn = drawings.timeline, drawings.steps
    assert len(drawn) == 8
    assert "dropped (5)" in drawn[7].svg
    assert "no request was answered" in drawn[2].svg
    assert "without success" in glance.svg


def test_sessions_follow_each_other_after_a_gap(factory: Factory) -> None:
    factory.step(2, part_plans("2."))
    factory.now = 1000.0
    factory.step(3, part_plans("3."), attempt=1, session_id=2)
    axis = TimeAxis(Source(RunReader(factory.write())))
    first, second = axis.spans.values()
    assert axis.at(2, second[0]) > axis.at(1, first[1])
    assert axis.end < 200  # not the thousand seconds of the second clock
    server = Table(
        SERIES["server"],
        {"session": [1.0, 1.0, 2.0], "time": [1.0, 2.0, 1001.0], "rss_bytes": [1.0, 2.0, 3.0]},
    )
    x, _ = axis.line(server, server.number("rss_bytes"))
    assert np.isnan(x).tolist() == [False, False, True, False, True]
    assert np.isnan(axis.place(np.array([7.0]), np.array([1.0]))).all()


def test_the_stairs_drawn_are_those_that_were_judged(factory: Factory) -> None:
    # The samples say 10 successes a second on every stair: the knee would be at one user.
    factory.step(3, part_plans("3.4"))
    source = Source(RunReader(factory.write()))
    data = source.step(source.run.steps[0])
    assert data is not None
    found = stored_stairs(data)
    assert found is not None
    assert found.users == ["1", "2", "5", "10", "20", "50"]
    assert found.rates.tolist() == [10.0, 21.5, 40.25, 78.5, 0.0, 84.25]
    drawn = draw_all(source).steps
    assert "knee: 10 virtual users" in drawn[3].svg
    assert (
        "Peak throughput 84.2 req/s; the knee is at 10 virtual users, with p(95) 150 ms."
        in drawn[3].caption.description
    )


def test_without_stored_stairs_no_capacity_is_drawn(factory: Factory) -> None:
    step = factory.step(3, part_plans("3.4"))
    step.attempts[0].parts[0].tables = []
    drawn = draw_all(Source(RunReader(factory.write()))).steps
    assert "Capacity" not in drawn[3].svg
    assert "knee:" not in drawn[3].svg
    assert (
        "The capacity is not drawn: this attempt stored no table of its stairs."
        in drawn[3].caption.description
    )
    step.attempts[0].parts[0].tables = [DataTable(name="stairs", title="", columns=[], rows=[[]])]
    again = draw_all(Source(RunReader(factory.write()))).steps
    assert "Capacity" not in again[3].svg


def test_the_capacity_is_no_matter_of_bursts(factory: Factory) -> None:
    factory.step(3, part_plans("3.1"))
    drawn = draw_all(Source(RunReader(factory.write()))).steps
    assert "capacity" not in drawn[3].caption.description


def test_the_band_drawn_is_the_one_that_was_judged(factory: Factory) -> None:
    step = factory.step(8, part_plans("8."))
    # Step 2 was run again later, with another baseline.
    again = Fact(
        name="baseline", step=2, attempt=2, values={"median_seconds": 1.0, "p95_seconds": 3.0}
    )
    factory.run.facts.append(again)
    source = Source(RunReader(factory.write()))
    data = source.step(source.run.steps[0])
    assert data is not None
    assert band_seconds(data) == 0.121
    step.attempts[0].parts[0].tables = []
    source = Source(RunReader(factory.write()))
    data = source.step(source.run.steps[0])
    assert data is not None
    assert band_seconds(data) is None
    drawing = draw_all(source).steps[8]
    assert "baseline band, up to" not in drawing.svg
    assert drawing.caption.description.endswith(
        "The baseline band is not drawn: this attempt stored none."
    )


def test_cells_that_hold_no_number_are_none() -> None:
    assert as_number(3) == 3.0
    assert np.isnan([as_number(cell) for cell in (None, "3", "")]).all()


def test_a_restart_is_marked(factory: Factory) -> None:
    factory.step(6, part_plans("6."))
    folder = factory.write()
    before = draw_all(Source(RunReader(folder))).timeline
    end = factory.run.steps[0].attempts[0].end
    factory.writer.append_series(
        "server",
        Table(SERIES["server"], {"session": [1.0], "time": [end - 0.1], "restarts": [1.0]}),
    )
    drawings = draw_all(Source(RunReader(folder)))
    after, drawn = drawings.timeline, drawings.steps
    assert "process ended" in drawn[6].svg
    assert after.svg.count(palette.VERMILION) > before.svg.count(palette.VERMILION)


def test_recovery_is_drawn_from_probes_and_the_marked_window(factory: Factory) -> None:
    factory.step(8, part_plans("8."))
    drawn = draw_all(Source(RunReader(factory.write()))).steps
    assert "recovered after 2 s" in drawn[8].svg
    assert "baseline band, up to 121 ms" in drawn[8].svg
    labels = [row[0] for row in drawn[8].caption.rows]
    assert labels == ["heavy requests", "probe requests", "main requests"]
    assert [row[1] for row in drawn[8].caption.rows] == ["300", "8", "5"]
    factory.run.steps[0].attempts[0].parts[0].metrics = []
    drawn = draw_all(Source(RunReader(factory.write()))).steps
    assert "recovered after" not in drawn[8].svg
    assert drawn[8].caption.description == "The time to recover was not measured."
