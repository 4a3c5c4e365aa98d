"""What the tests of whole runs share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

COMMAND = (sys.executable, "-m", "qa_runner")


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def run(self) -> dict[str, Any]:
        """run.json from stdout."""
        assert self.stdout, self.stderr
        return json.loads(self.stdout)

    @property
    def error(self) -> str:
        """The one line on stderr."""
        lines = self.stderr.strip().splitlines()
        assert len(lines) == 1, self.stderr
        assert "Traceback" not in self.stderr
        return lines[0]


Cli = Callable[..., Outcome]
Answer = Callable[[BaseHTTPRequestHandler], None]
Server = Callable[[Answer], str]


def reply(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: str,
    kind: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer with a status and a body."""
    data = body.encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def criteria(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All judged criteria of the latest attempts, by id."""
    found: dict[str, dict[str, Any]] = {}
    for step in run["steps"]:
        if step["attempts"]:
            latest = step["attempts"][-1]
            results = [c for part in latest["parts"] for c in part["criteria"]]
            found |= {c["id"]: c for c in [*results, *latest["criteria"]]}
    return found
