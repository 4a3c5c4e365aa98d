"""Goals are judged by the numbers, and the page shows every tool."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import main
from benchmarks.goals import judge
from benchmarks.job import BenchmarkError
from benchmarks.render import render
from benchmarks.results import Measurement, Results, ToolFacts
from benchmarks.section import SECTIONS
from benchmarks.tools import TOOLS
from benchmarks.tools.qa_runner import COMMAND, ENGINE


def facts(absent: str = "vegeta") -> list[ToolFacts]:
    return [
        ToolFacts(
            name=tool.name,
            body=tool.body,
            model=tool.model,
            paced=tool.paced,
            absent="no | package" if tool.name == absent else "",
        )
        for tool in TOOLS
    ]


def measured(section: str, case: str, tool: str, **values: float) -> Measurement:
    return Measurement(section=section, case=case, tool=tool, round=1, values=values)


def results(*measurements: Measurement, quick: bool = False) -> Results:
    return Results(
        machine={"cores": "2"},
        quick=quick,
        sections=[section.name for section in SECTIONS],
        tools=facts(),
        measurements=measurements,
        seconds=60,
    )


def rates(ours: float, *, wrk: float) -> list[Measurement]:
    return [
        measured("throughput", "keep-alive", ENGINE, requests_per_second=ours),
        measured("throughput", "keep-alive", "wrk", requests_per_second=wrk),
    ]


def verdict(found: Results, start: str) -> str:
    return next(goal.verdict for goal in judge(found) if goal.wanted.startswith(start))


@pytest.mark.parametrize(("ours", "expected"), [(600.0, "met"), (599.0, "not met")])
def test_throughput(ours: float, expected: str) -> None:
    found = results(*rates(ours, wrk=1000.0))
    assert verdict(found, "throughput at least 0.6") == expected
    assert verdict(found, "throughput at least 7") == "not measured"


def test_the_median_of_what_each_round_says_decides() -> None:
    # In a slow moment both are slow: of the rounds, one ratio is below the goal, two are above.
    rounds = [
        msgspec.structs.replace(one, round=number)
        for number, (ours, wrk) in enumerate(((100.0, 1000.0), (65.0, 100.0), (700.0, 1000.0)))
        for one in rates(ours, wrk=wrk)
    ]
    found = results(*rounds)
    assert verdict(found, "throughput at least 0.6") == "met"
    assert "0.65 \N{MULTIPLICATION SIGN}" in render(found)


def test_a_round_that_one_of_them_lacks_is_not_compared() -> None:
    ours, wrk = rates(650.0, wrk=1000.0)
    more = msgspec.structs.replace(ours, round=2, values={"requests_per_second": 1.0})
    assert verdict(results(ours, wrk, more), "throughput at least 0.6") == "met"
    assert verdict(results(wrk, more), "throughput at least 0.6") == "not measured"


@pytest.mark.parametrize(("ours", "expected"), [(6.9, "met"), (7.1, "not met")])
def test_fidelity(ours: float, expected: str) -> None:
    found = results(
        measured("fidelity", "500 users", ENGINE, p99_above_ms=ours),
        measured("fidelity", "500 users", "wrk", p99_above_ms=2.0),
    )
    assert verdict(found, "p99 at 20 ms and 500") == expected
    assert verdict(found, "p99 at 20 ms and 50 ") == "not measured"


@pytest.mark.parametrize(
    ("arrived", "expected"), [(20_000, "met"), (19_999, "not met"), (20_001, "not met")]
)
def test_every_request_is_sent(arrived: int, expected: str) -> None:
    whole = measured("open-loop", "2000/s", ENGINE, arrived=20_000, lateness_p99_ms=1.9)
    found = results(whole, measured("open-loop", "2000/s", ENGINE, arrived=arrived))
    assert verdict(found, "open loop, 2,000/s: every") == expected
    assert verdict(found, "open loop, 2,000/s: lateness") == "met"


@pytest.mark.parametrize(("p99", "expected"), [(0.92, "met"), (0.83, "met"), (0.5, "not met")])
def test_the_stall_shows(p99: float, expected: str) -> None:
    assert verdict(results(measured("stall", "stall", ENGINE, p99_seconds=p99)), "the stall") == (
        expected
    )


def test_memory_and_analysis_count_at_a_million_only() -> None:
    numbers = (
        measured("memory", "count", ENGINE, peak_mb=249.0),
        measured("memory", "count", COMMAND, after_seconds=5.2),
    )
    assert verdict(results(*numbers), "a million samples") == "met"
    assert verdict(results(*numbers), "percentiles and figures") == "not met"
    assert verdict(results(*numbers, quick=True), "a million samples") == "not measured"


def test_sections_measured_again_take_the_place_of_theirs() -> None:
    first = results(*rates(500.0, wrk=1000.0), measured("stall", "stall", ENGINE, p99_seconds=0.9))
    later = msgspec.structs.replace(
        results(*rates(700.0, wrk=1000.0)),
        machine={"cores": "2", "date": "2026-11-22", "load average before": "0.00"},
        sections=["throughput"],
    )
    both = first.with_sections_of(later)
    assert verdict(both, "throughput at least 0.6") == "met"
    assert verdict(both, "the stall") == "met"
    assert len(both.of("throughput", "keep-alive", ENGINE)) == 1
    assert render(both).count("Measured again, alone, on 2026-11-22.") == 1
    assert "Measured again" not in render(first)


@pytest.mark.parametrize("change", [{"machine": {"cores": "4", "date": ""}}, {"quick": True}])
def test_results_of_another_machine_are_not_mixed(change: dict[str, object]) -> None:
    with pytest.raises(BenchmarkError, match="another machine"):
        results().with_sections_of(msgspec.structs.replace(results(), **change))


def test_the_page_has_every_tool_in_every_table() -> None:
    found = results(
        *rates(500.0, wrk=1000.0),
        msgspec.structs.replace(rates(900.0, wrk=0)[0], round=2),
        Measurement(
            section="throughput", case="keep-alive", tool="k6", round=1, error="exit code 9"
        ),
    )
    page = render(found)
    tables = page.split("\n### ")[1:]
    assert len(tables) == sum(len(section.cases(False)) for section in SECTIONS)
    for table in tables:
        for tool in TOOLS:
            assert f"| {tool.name} |" in table
    first = tables[0]
    assert "| qa-runner | 2 | 700 (500 to 900) |" in first
    assert "| wrk | 2 |" not in first
    assert "1,000 × 0.50" in first  # noqa: RUF001 (the sign that is meant)
    assert "failed: exit code 9" in first
    assert "| vegeta | – | not installed |" in first  # noqa: RUF001 (as above)
    assert "no \\| package" in page


def test_the_page_can_be_rendered_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = results(*rates(500.0, wrk=1000.0))
    file = tmp_path / "results.json"
    file.write_bytes(msgspec.json.encode(stored))
    assert main(["--render", str(file)]) == 0
    assert capsys.readouterr().out == render(stored)


def test_an_unknown_section_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "speed"])
    assert "'speed' is none of: throughput, " in capsys.readouterr().err
