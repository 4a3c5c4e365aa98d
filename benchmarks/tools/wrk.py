"""wrk: C, epoll, LuaJIT for what varies."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import ClassVar

from benchmarks.job import BODY, CONTENT_TYPE, Job, Reading
from benchmarks.tools.tool import Absent, Tool, first_line

__all__ = ["Wrk", "Wrk2", "WrkFixedBody"]

_REQUESTS_PER_SECOND = 60_000
"""It counts no requests, so a number of them becomes a time, rounded up."""

_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "{content_type}"
{connection}
{body}
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {{"requests":%d,"errors":%d,"p50":%d,"p99":%d}}\\n', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""
_UNIQUE = """\
local before, after, i = '{before}', '{after}', 0
function request()
  i = i + 1
  return wrk.format(nil, nil, nil, before .. i .. after)
end
"""
_FIXED = "wrk.body = '{body}'"
_NEW_CONNECTIONS = 'wrk.headers["Connection"] = "close"'


class Wrk(Tool):
    """wrk with a body of its own for each request."""

    name: ClassVar[str] = "wrk"
    counted: ClassVar[bool] = False

    def version(self, cache: Path) -> str:
        """See Tool."""
        del cache
        return first_line(["wrk", "-v"], "wrk ").split()[1]

    def command(self, job: Job, cache: Path, folder: Path) -> list[str]:
        """See Tool."""
        del cache
        script = _SCRIPT.format(
            content_type=CONTENT_TYPE,
            connection=_NEW_CONNECTIONS if job.new_connections else "",
            body=self._body(),
        )
        (folder / "job.lua").write_text(script)
        seconds = job.seconds
        if job.requests is not None:
            seconds = math.ceil(job.requests / _REQUESTS_PER_SECOND)
        load = ["-t1", f"-c{job.users}", f"-d{seconds}s", "--timeout", "30s"]
        return ["wrk", *load, "-s", "job.lua", job.url]

    def read(self, job: Job, output: str, folder: Path) -> Reading:
        """See Tool. Its own numbers are microseconds."""
        del job, folder
        told = json.loads(output.partition("\nRESULT ")[2] or "null")
        return Reading(
            requests=told["requests"],
            errors=told["errors"],
            p50=told["p50"] / 1e6,
            p99=told["p99"] / 1e6,
        )

    def _body(self) -> str:
        before, _, after = BODY.partition("ID")
        return _UNIQUE.format(before=before, after=after)


class WrkFixedBody(Wrk):
    """wrk at its fastest: the same bytes again and again."""

    name: ClassVar[str] = "wrk, fixed body"
    body: ClassVar[str] = "fixed"

    def _body(self) -> str:
        return _FIXED.format(body=BODY)


class Wrk2(Wrk):
    """wrk2, which no package registry has; named here so that it is not forgotten."""

    name: ClassVar[str] = "wrk2"

    def version(self, cache: Path) -> str:
        """Raise Absent."""
        del cache
        raise Absent("in no release of Debian, nor on PyPI or npm")
