"""Whole runs against servers with the middleware: what it tells is judged and reported."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from projects.storefront import PATH, ShopServer

from qa_runner.targets.embedded import EmbeddedTarget

INSIDE = ("5.1-database-time-p95", "5.1-query-count-drift")
# A limit that says nothing of this machine, which others use meanwhile.
SHORT = ("5.1.watch=3", "5.1.idle=1", "5.1.every=0.3", "5.1.limit.database_time_p95=10s")


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    """The result of a run of part 5.1."""
    words = ["run", "PURCHASE-006", "--profile", "smoke", "--step", "5.1", "--json", *arguments]
    settings = [word for text in SHORT for word in ("--set", text)]
    done = subprocess.run(
        [sys.executable, "-m", "qa_runner", *words, *settings],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def judged(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    parts = [
        part for step in result["steps"] for held in step["attempts"] for part in held["parts"]
    ]
    return {one["id"]: one for part in parts for one in part["criteria"]}


def test_the_embedded_target_tells_and_is_judged_by_it(tmp_path: Path) -> None:
    result = run(tmp_path)
    found = judged(result)
    assert result["excluded"] == []
    for name in INSIDE:
        assert found[name]["verdict"] == "PASS", found[name]
        assert found[name]["sample_size"] == 60
    assert found["5.1-database-time-p95"]["measured"] > 0
    # One student of the sixty is known already, and costs fewer queries.
    assert found["5.1-query-count-drift"]["measured"] == 0
    page = next(tmp_path.rglob("report.html")).read_text(encoding="utf-8")
    assert 'id="inside"' in page
    assert "60 responses told in a Server-Timing header" in page


def test_the_embedded_target_tells_nobody_else(tmp_path: Path) -> None:
    with EmbeddedTarget(tmp_path) as target:
        for headers in ({}, {"X-QA-Runner": "x"}):
            connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
            with closing(connection):
                connection.request("GET", "/health/", headers=headers)
                told = connection.getresponse().headers["Server-Timing"]
                assert (told is not None) == bool(headers)


def test_another_project_is_judged_by_what_it_tells(timed_shop: ShopServer, tmp_path: Path) -> None:
    result = run(tmp_path, "--target", timed_shop.url, "--set", f"case.path={PATH}")
    found = judged(result)
    assert not [line for line in result["excluded"] if line.startswith(INSIDE)]
    for name in INSIDE:
        assert found[name]["verdict"] == "PASS", found[name]
        assert found[name]["sample_size"] > 30
