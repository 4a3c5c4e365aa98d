"""k6: Go, scripted in JavaScript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, Job, Reading
from benchmarks.tools.tool import Tool, first_line

__all__ = ["K6"]

_SCRIPT = """\
import http from 'k6/http';
import exec from 'k6/execution';
import {{ check }} from 'k6';
export const options = {{
  scenarios: {{ job: {scenario} }},
  noConnectionReuse: {no_reuse},
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(99)'],
}};
const params = {{ headers: {{ 'Content-Type': '{content_type}' }} }};
export default function () {{
  const body = '{before}' + exec.scenario.iterationInTest + '{after}';
  check(http.post('{url}', body, params), {{ ok: (r) => r.status === 200 }});
}}
export function handleSummary(data) {{ return {{ 'summary.json': JSON.stringify(data) }}; }}
"""


class K6(Tool):
    """k6."""

    name: ClassVar[str] = "k6"
    model: ClassVar[str] = "open"
    paced: ClassVar[bool] = True

    def version(self, cache: Path) -> str:
        """See Tool."""
        return first_line([_program(cache), "version"], "k6 v").split()[1]

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool."""
        before, _, after = BODY.partition("ID")
        script = _SCRIPT.format(
            scenario=json.dumps(_scenario(job)),
            no_reuse="true" if job.new_connections else "false",
            content_type=CONTENT_TYPE,
            before=before,
            after=after,
            url=job.url,
        )
        (folder / "job.js").write_text(script)
        return [_program(cache), "run", "--quiet", "--no-usage-report", "job.js"]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool. Its own numbers are milliseconds."""
        del job, output
        metrics = json.loads((folder / "summary.json").read_text())["metrics"]
        times = metrics["http_req_duration"]["values"]
        return Reading(
            requests=int(metrics["http_reqs"]["values"]["count"]),
            errors=int(metrics["checks"]["values"]["fails"]),
            p50=times["med"] / 1e3,
            p99=times["p(99)"] / 1e3,
        )


def _scenario(job: Job) -> dict[str, str | int]:
    if job.rate is not None:
        return {
            "executor": "constant-arrival-rate",
            "rate": job.rate,
            "timeUnit": "1s",
            "duration": f"{job.seconds}s",
            "preAllocatedVUs": job.in_flight,
            "maxVUs": job.in_flight,
        }
    if job.requests is not None:
        return {
            "executor": "shared-iterations",
            "vus": job.users,
            "iterations": job.requests,
            "maxDuration": f"{job.seconds}s",
        }
    return {"executor": "constant-vus", "vus": job.users, "duration": f"{job.seconds}s"}


def _program(cache: Path) -> str:
    return str(cache / "peers" / "bin" / "k6")
