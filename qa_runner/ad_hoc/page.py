"""The HTML report of an ad-hoc load: one file, of what a run folder would hold."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from qa_runner import __version__
from qa_runner.ad_hoc.expectations import OWNER
from qa_runner.ad_hoc.masking import Mask
from qa_runner.ad_hoc.sending import Measured
from qa_runner.ad_hoc.summary import Summary
from qa_runner.errors import OutputError
from qa_runner.report.format import quantity
from qa_runner.report.load_page import load_page
from qa_runner.result import (
    Attempt,
    DataTable,
    LoadResult,
    PartResult,
    RecordedMetric,
    RunResult,
    Session,
    StepResult,
    TargetResult,
)
from qa_runner.sample_file import ENDING
from qa_runner.store import RunReader, write_atomically
from qa_runner.summary import reason_for
from qa_runner.table import SERIES, Table
from qa_runner.verdict import Verdict

__all__ = ["check_page", "write_page"]

_SAMPLES = f"samples/step-1-attempt-1{ENDING}"
_TIMES = {
    "mean": "mean",
    "stddev": "std. dev.",
    "min": "min",
    "p50": "p(50)",
    "p90": "p(90)",
    "p95": "p(95)",
    "p99": "p(99)",
    "max": "max",
}


def check_page(file: Path) -> None:
    """Raise OutputError, before any load, if the report cannot be written to ``file``."""
    if file.is_dir():
        raise OutputError(f"--report {file} is a folder; give the name of a file")
    folder = file.resolve().parent
    if not folder.is_dir():
        raise OutputError(f"--report {file}: there is no folder {file.parent}")
    if file.exists() and not file.is_file():
        # Root may well replace /dev/full.
        raise OutputError(f"--report {file} is a device or a pipe; give the name of a file")
    try:
        with NamedTemporaryFile(dir=folder, prefix=".qa-runner-"):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write --report {file}: {error.strerror or error}; choose another folder"
        ) from None


def write_page(file: Path, measured: Measured, summary: Summary) -> None:
    """Write the report of a load; raises OutputError if it cannot be written."""
    text = load_page(_Held(file.parent, _result(measured, summary), measured))
    # What a link leads to is replaced, not the link.
    write_atomically(file.resolve(), text.encode())


class _Held(RunReader):
    """A run folder that is in memory; on disk it would be there twice."""

    def __init__(self, folder: Path, run: RunResult, measured: Measured) -> None:
        super().__init__(folder)
        self._run = run
        self._samples: Mapping[str, Table] = {_SAMPLES: measured.samples}
        self._series: Mapping[str, Table] = {"generator": measured.health}

    def result(self) -> RunResult:
        """The load as a run."""
        return self._run

    def sample_names(self) -> list[str]:
        """The only file that there would be."""
        return list(self._samples)

    def samples(self, name: str) -> Table:
        """What it would hold."""
        return self._samples[name]

    def series(self, name: str) -> Table:
        """The generator's; nothing else watches an ad-hoc load."""
        return self._series.get(name, Table(SERIES[name]))


def _result(measured: Measured, summary: Summary) -> RunResult:
    """The load as a run of one step and one part."""
    verdict = Verdict.SKIPPED if summary.verdict is None else summary.verdict
    part = PartResult(
        id=OWNER,
        title=summary.shape,
        verdict=verdict,
        start=measured.start,
        end=measured.end,
        loads=[_load(measured, summary)],
        metrics=_metrics(summary),
        tables=[_times(summary)],
        criteria=summary.expectations,
        error=summary.stop_reason if summary.status == "crashed" else "",
    )
    attempt = Attempt(
        number=1,
        session=1,
        started=summary.started,
        verdict=verdict,
        start=measured.start,
        end=measured.end,
        parts=[part],
        samples=_SAMPLES,
    )
    run = RunResult(
        tool_version=__version__,
        run_id=f"load-{measured.clock.wall_start:%Y%m%d-%H%M%S}",
        test_id=summary.url,
        test_name=f"Load on one address: {summary.shape}",
        description="",
        status=summary.status,
        stop_reason=summary.stop_reason,
        verdict=verdict,
        profile="",
        started=summary.started,
        duration_seconds=measured.end - measured.start,
        target=TargetResult(name=summary.url, url=summary.url, environment="local"),
        tag=summary.tag,
        environment={
            "qa-runner": __version__,
            "Python": platform.python_version(),
            "operating system": platform.platform(),
            "processor": platform.machine(),
            "cores": str(os.cpu_count()),
        },
        sessions=[
            Session(
                id=1,
                wall_start=summary.started,
                monotonic_start=measured.clock.monotonic_start,
                command="load",
                calibration=measured.calibration,
            )
        ],
        steps=[
            StepResult(
                number=1,
                title=summary.shape,
                purpose="",
                figure="load",
                chart="load",
                verdict=verdict,
                attempts=[attempt],
            )
        ],
    )
    run.reason = reason_for(run) if summary.expectations or summary.stop_reason else ""
    return run


def _load(measured: Measured, summary: Summary) -> LoadResult:
    plan = measured.test.plan
    request = plan.request
    head = [f"{request.method} {request.url}", *(f"{k}: {v}" for k, v in request.headers)]
    mask = Mask(measured.test.secrets, keep=plan.tag)
    return LoadResult(
        number=plan.number,
        role="main",
        tag=plan.tag,
        shape=summary.shape,
        request=mask.text("\n".join([*head, "", measured.test.body])),
        connections=plan.connections,
        timeout_seconds=plan.timeout_seconds,
        start=measured.start,
        end=measured.end,
        outcomes=dict(measured.samples.counts("outcome").most_common()),
        stop_reason=summary.stop_reason,
    )


def _metrics(summary: Summary) -> list[RecordedMetric]:
    """What the head of the page names."""
    return [
        RecordedMetric(name="success rate", value=summary.success_rate, unit="%"),
        RecordedMetric(name="throughput", value=summary.throughput, unit="req/s"),
        RecordedMetric(name="response time p(95)", value=summary.response_time.p95, unit="s"),
    ]


def _times(summary: Summary) -> DataTable:
    """How each time is distributed, with units."""
    named = {
        "response time, from due": summary.response_time,
        "service time, from started": summary.service_time,
        "time to first byte": summary.time_to_first_byte,
        "connect time, of new connections": summary.connect_time,
    }
    return DataTable(
        name="times",
        title="Times",
        columns=["", "requests", *_TIMES.values()],
        rows=[
            [label, times.n, *(quantity(getattr(times, name), "s") for name in _TIMES)]
            for label, times in named.items()
        ],
    )
