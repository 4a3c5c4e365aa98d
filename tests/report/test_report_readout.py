"""What a script reads off a figure: which lines are data, and on which scales they are drawn."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from report.run_factory import Factory, plans, session

from qa_runner.report.charts.canvas import Caption, Drawing, draw, stacked
from qa_runner.report.figures import draw_all
from qa_runner.report.source import Source
from qa_runner.store import RunReader

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def parsed(drawing: Drawing) -> ET.Element:
    return ET.fromstring(drawing.svg)  # noqa: S314 (ours)


def axes_of(drawing: Drawing) -> list[list[Any]]:
    return json.loads(parsed(drawing).get("data-axes", "[]"))


def points_of(drawing: Drawing) -> dict[str, list[tuple[float, float]]]:
    """Of each series the points in its data's units, read as the script does; linear scales."""
    axes = axes_of(drawing)
    found: dict[str, list[tuple[float, float]]] = {}
    for group in parsed(drawing).iter("g"):
        if "data-series" in group.attrib:
            left, top, right, bottom, across, up = axes[int(group.get("data-axes", ""))]
            read = []
            for path in group.iter("path"):
                pieces = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
                for x, y in ((float(x), float(y)) for x, y in pieces):
                    share, height = (x - left) / (right - left), (bottom - y) / (bottom - top)
                    read.append(
                        (
                            across[0] + share * (across[1] - across[0]),
                            up[0] + height * (up[1] - up[0]),
                        )
                    )
            found[group.get("data-series", "")] = read
    return found


def paint(figure: Figure) -> Caption:
    upper, lower = stacked(figure, [1.5, 1.0])
    upper.plot([0, 1, 2, 3], [5, 7, 6, 9], label="line (4)")
    upper.plot([0.5, 1.5, 2.5] * 10, [5, 6, 7] * 10, "X", label="crosses (1,234)", linestyle="none")
    upper.axhline(6, label="limit 6")
    upper.axvspan(1, 2, label="load")
    upper.set_ylabel("response time [ms]")
    upper.set_xlabel("time since the step began [s]; shaded: load")
    beside = upper.twinx()
    beside.plot([0, 3], [100, 400])
    beside.set_ylabel("RSS [MB]")
    lower.plot([0, 1], [3, 4], "o", label="lanes", linestyle="none")
    lower.set_yticks([3, 4], ["three", "<four>"])
    lower.set_xlabel("request")
    return Caption("T", "D")


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return draw("readout", paint)


def test_points_read_off_the_figure_are_those_that_were_drawn(drawing: Drawing) -> None:
    found = points_of(drawing)
    assert set(found) == {"line", "crosses", "lanes", "RSS"}
    for name, wanted in (
        ("line", [(0, 5), (1, 7), (2, 6), (3, 9)]),
        ("lanes", [(0, 3), (1, 4)]),
        ("RSS", [(0, 100), (3, 400)]),
    ):
        high = max(y for _, y in wanted)
        assert len(found[name]) == len(wanted)
        for (x, y), (wanted_x, wanted_y) in zip(found[name], wanted, strict=True):
            assert x == pytest.approx(wanted_x, abs=0.01)
            assert y == pytest.approx(wanted_y, abs=0.01 * high)


def test_many_marks_are_one_line_with_a_marker_at_each_point(drawing: Drawing) -> None:
    root = parsed(drawing)
    marker = next(root.iter("marker"))
    pinned = [path for path in root.iter("path") if path.get("marker-mid")]
    assert [path.get("marker-mid") for path in pinned] == [f"url(#{marker.get('id')})"]
    assert len(re.findall(r"[ML]", pinned[0].get("d", ""))) == 30


def test_scales_say_their_kind_and_unit(drawing: Drawing) -> None:
    first, lanes, beside = axes_of(drawing)
    assert first[4][2:] == ["", "s"]
    assert first[5][2:] == ["", "ms"]
    assert beside[:4] == first[:4]
    assert beside[4][2:] == ["", "s"]
    assert beside[5][2:] == ["", "MB"]
    assert lanes[4][2:] == ["nth", "request"]
    assert lanes[5][2:] == ["ticks", [[3.0, "three"], [4.0, "<four>"]]]


def test_the_clock_of_a_run_knows_its_sessions(tmp_path: Path) -> None:
    factory = Factory(tmp_path / "run", sessions=[session(1), session(2)])
    listed = [plan for plan in plans(scale=0.05) if plan.part.startswith("2.")]
    factory.step(2, listed)
    factory.now, factory.added = 300.0, 0.0
    factory.step(2, listed, attempt=2, session_id=2)
    drawings = draw_all(Source(RunReader(factory.write())))
    glance, figures = drawings.timeline, drawings.steps
    (low, high, kind, spans), *_ = (axes[4] for axes in axes_of(glance))
    assert kind == "clock"
    assert [second for _, second in spans] == [1.0, 300.0]
    assert low == spans[0][0] == 0.0
    assert spans[0][0] < spans[1][0] < high
    assert axes_of(figures[2])[0][4][2:] == ["nth", "request"]
