"""What each tool printed is read as what it said: on outputs captured from the real tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.job import BenchmarkError, Job, Reading
from benchmarks.tools.ab import ApacheBench
from benchmarks.tools.autocannon import Autocannon
from benchmarks.tools.hey import Hey
from benchmarks.tools.k6 import K6
from benchmarks.tools.locust import Locust
from benchmarks.tools.qa_runner import LoadCommand, LoadEngine
from benchmarks.tools.tool import Tool
from benchmarks.tools.vegeta import Vegeta
from benchmarks.tools.wrk import Wrk

CAPTURED = Path(__file__).with_name("captured")
JOB = Job(url="http://127.0.0.1:1/purchase", users=5, seconds=2)


def captured(tool: Tool) -> tuple[str, Path]:
    folder = CAPTURED / tool.name.replace(" ", "-")
    return (folder / "stdout").read_text(), folder


@pytest.mark.parametrize(
    ("tool", "requests", "p50", "p99"),
    [
        (ApacheBench(), 200, 0.020241, 0.028079),
        (Wrk(), 245, 0.02027, 0.02437),
        (Hey(), 200, 0.0209, 0.0243),
        (K6(), 200, 0.0214045735, 0.0283553361),
        (Locust(), 195, 0.021, 0.19),
        (Autocannon(), 200, 0.021, 0.049),
        (LoadEngine(), 200, 0.020436997, 0.028939903),
        (LoadCommand(), 200, 0.020430145, 0.028921738),
    ],
    ids=lambda value: value.name if isinstance(value, Tool) else "",
)
def test_reads_what_the_tool_printed(tool: Tool, requests: int, p50: float, p99: float) -> None:
    reading = tool.read(JOB, *captured(tool))
    assert (reading.requests, reading.errors) == (requests, 0)
    assert reading.p50 == pytest.approx(p50, abs=1e-8)
    assert reading.p99 == pytest.approx(p99, abs=1e-8)


@pytest.mark.parametrize(
    "tool",
    [ApacheBench(), Wrk(), Hey(), Locust(), Autocannon(), LoadEngine(), LoadCommand(), Vegeta()],
    ids=lambda tool: tool.name,
)
def test_output_of_another_kind_is_no_reading(tool: Tool, tmp_path: Path) -> None:
    with pytest.raises((BenchmarkError, ValueError, KeyError, TypeError, OSError)):
        tool.read(JOB, "Segmentation fault\n", tmp_path)


def test_ab_counts_what_was_no_success() -> None:
    output, folder = captured(ApacheBench())
    output = output.replace("Failed requests:        0", "Failed requests:        3")
    output = output.replace("Keep-Alive requests", "Non-2xx responses:      4\nKeep-Alive requests")
    assert ApacheBench().read(JOB, output, folder).errors == 7


def test_hey_counts_statuses_and_errors() -> None:
    output, folder = captured(Hey())
    output = output.replace(
        "  [200]\t200 responses", "  [200]\t190 responses\n  [503]\t10 responses"
    )
    output += 'Error distribution:\n  [5]\tPost "http://127.0.0.1:1/": EOF\n'
    reading = Hey().read(JOB, output, folder)
    assert (reading.requests, reading.errors) == (200, 15)


def test_wrk_counts_every_kind_of_error() -> None:
    reading = Wrk().read(
        JOB, 'lines\n\nRESULT {"requests":9,"errors":2,"p50":20000,"p99":21000}\n', CAPTURED
    )
    assert reading == Reading(requests=9, errors=2, p50=0.02, p99=0.021)


def test_k6_counts_failed_checks(tmp_path: Path) -> None:
    told = json.loads((CAPTURED / "k6" / "summary.json").read_text())
    told["metrics"]["checks"]["values"]["fails"] = 6
    (tmp_path / "summary.json").write_text(json.dumps(told))
    assert K6().read(JOB, "", tmp_path).errors == 6


def test_vegeta_in_nanoseconds_with_a_share_of_successes() -> None:
    # Not captured: as its documentation prints `vegeta report -type=json`.
    output = json.dumps(
        {
            "latencies": {"mean": 1, "50th": 20_400_000, "95th": 2, "99th": 22_900_000, "max": 3},
            "requests": 1200,
            "success": 0.99,
            "status_codes": {"200": 1188, "500": 12},
        }
    )
    assert Vegeta().read(JOB, output, CAPTURED) == Reading(
        requests=1200, errors=12, p50=0.0204, p99=0.0229
    )


def test_the_command_in_percent() -> None:
    output, folder = captured(LoadCommand())
    told = json.loads(output)
    told["success_rate"] = 97.5
    assert LoadCommand().read(JOB, json.dumps(told), folder).errors == 5


def test_autocannon_without_a_percentile() -> None:
    output, folder = captured(Autocannon())
    told = json.loads(output)
    told["latency"]["p50"] = 0
    told["non2xx"] = 2
    reading = Autocannon().read(JOB, json.dumps(told), folder)
    assert reading.p50 is None
    assert (reading.requests, reading.errors) == (202, 2)
