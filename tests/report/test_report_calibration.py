"""What the report says of the load generator itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from run_factory import Factory, plans, session

from qa_runner.calibration import Calibration, Capacity
from qa_runner.report.html import page
from qa_runner.report.source import Source
from qa_runner.report.trust import trust
from qa_runner.store import RunReader

FOUND = Calibration(
    measured="2026-11-21T10:00:00+01:00",
    event_loop="uvloop",
    stub_delay_seconds=0.02,
    users=50,
    overhead_requests=2233,
    overhead_p50_seconds=0.00031,
    overhead_p99_seconds=0.0018,
    arrival_rate=500,
    lateness_requests=500,
    lateness_p99_seconds=0.0004,
    keep_alive=Capacity(requests=1, requests_per_second=40_321.5, cpu_seconds_per_request=25e-6),
    new_connections=Capacity(requests=1, requests_per_second=8_012, cpu_seconds_per_request=0),
)
ADDS = "What the load generator adds to a response time"


def built(folder: Path, *found: Calibration | None) -> Factory:
    """A run with a burst, in as many sessions as there are calibrations."""
    sessions = [
        msgspec.structs.replace(session(number), calibration=calibration)
        for number, calibration in enumerate(found, 1)
    ]
    factory = Factory(folder, sessions=sessions)
    factory.step(3, [plan for plan in plans(scale=0.1) if plan.part == "3.1"])
    return factory


def facts(factory: Factory) -> dict[str, str]:
    return dict(trust(Source(RunReader(factory.write())))["facts"])


def test_the_calibration_stands_in_the_report_in_words(tmp_path: Path) -> None:
    factory = built(tmp_path / "run", FOUND)
    found = facts(factory)
    assert found[ADDS] == (
        "0.31 ms at the median, 1.8 ms at p(99): 50 users against a stub on this machine that "
        "takes 20 ms, 2,233 requests"
    )
    assert found["Its lateness at a constant arrival rate"] == "p(99) 0.40 ms at 500 req/s"
    assert found["What it can send"] == (
        "at least 40,000 req/s (25 µs of CPU each) on kept connections, 8,000 req/s with a new "
        "connection each"
    )
    when = found["Calibration of the load generator"]
    assert when == "2026-11-21 10:00:00 +01:00, uvloop"
    assert found[ADDS] in page(RunReader(factory.folder))


def test_a_calibration_that_several_sessions_used_is_one(tmp_path: Path) -> None:
    kept = msgspec.structs.replace(FOUND, from_cache=True)
    found = facts(built(tmp_path / "same", kept, kept))
    assert found["Calibration of the load generator"].endswith("uvloop, kept from an earlier run")
    other = msgspec.structs.replace(FOUND, measured="2026-11-22T10:00:00+01:00", users=51)
    found = facts(built(tmp_path / "two", FOUND, other))
    assert "50 users" in found[f"{ADDS} (session 1)"]
    assert "51 users" in found[f"{ADDS} (session 2)"]


def test_a_run_that_was_not_calibrated_says_so(tmp_path: Path) -> None:
    factory = built(tmp_path / "run", None)
    assert facts(factory)["Calibration of the load generator"].startswith("not calibrated;")
    # As older versions wrote it.
    path = factory.folder / "run.json"
    data = msgspec.json.decode(path.read_bytes())
    for stored in data["sessions"]:
        del stored["calibration"]
    for load in data["steps"][0]["attempts"][0]["parts"][0]["loads"]:
        del load["burst"], load["caution"], load["generator_cpu_percent"]
    path.write_bytes(msgspec.json.encode(data))
    text = page(RunReader(factory.folder))
    assert "not calibrated" in text
    assert "Near the limit of the load generator" not in text
    assert "Spread of the starts" not in text


def test_bursts_are_told_by_their_spread_and_loads_near_the_limit_by_a_sentence(
    tmp_path: Path,
) -> None:
    factory = built(tmp_path / "run", FOUND)
    (part,) = factory.run.steps[0].attempts[0].parts
    part.loads[:] = [
        msgspec.structs.replace(load, burst=5, caution="The load reached 6,000 req/s.")
        for load in part.loads
    ]
    (spread,) = [text for name, text in facts(factory).items() if name.startswith("Spread")]
    assert spread.endswith("at most, of 95 % of its requests")
    text = page(RunReader(factory.folder))
    assert "Near the limit of the load generator" in text
    assert f"{part.id}, {part.loads[0].shape}: The load reached 6,000 req/s." in text


@pytest.mark.parametrize("rate", [0.5, 1234567.0])
def test_any_capacity_can_be_said(tmp_path: Path, rate: float) -> None:
    odd = Capacity(requests=1, requests_per_second=rate, cpu_seconds_per_request=0.5)
    found = facts(built(tmp_path / "run", msgspec.structs.replace(FOUND, keep_alive=odd)))
    assert ("0.5" if rate < 1 else "1,200,000 req/s") in found["What it can send"]
