"""A real run with all forms in one command, as continuous integration has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema

from qa_runner.report.forms.machine_schema import schema


def test_one_command_writes_all_forms_and_a_rerun_renews_them(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}

    def qa_runner(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "qa_runner", *words],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    # A limit that no server can hold.
    done = qa_runner(
        *("run", "PURCHASE-006", "--profile", "smoke", "--step", "1", "--json"),
        *("--set", "1.2.limit.response_time_max=1us", "--format", "junit,ctrf", "--format", "json"),
    )
    assert done.returncode == 1, done.stderr
    stored = json.loads(done.stdout)
    (folder,) = (tmp_path / "artifacts" / "purchase-006").glob("run-*")
    for name in ("report.html", "junit.xml", "ctrf-report.json", "result.json"):
        assert (folder / name).is_file()
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(found)
    assert found["verdict"] == stored["verdict"] == "FAIL"
    assert found["checks"]
    failed = [row["id"] for row in found["criteria"] if row["verdict"] == "FAIL"]
    assert failed == ["1.2-response-time-max"]
    lines = done.stderr.splitlines()
    assert lines[0].startswith("::stop-commands::")
    assert lines[-1].startswith("::error title=PURCHASE-006 1.2-response-time-max::")
    assert "FAIL" in summary.read_text(encoding="utf-8").splitlines()[0]

    def attempts() -> int:
        held = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return held["steps"][0]["attempts"]

    before = (folder / "junit.xml").read_bytes()
    assert attempts() == 1
    again = qa_runner("rerun", folder.name, "--step", "1", "--quiet")
    assert again.returncode == 1, again.stderr
    assert attempts() == 2
    assert (folder / "junit.xml").read_bytes() != before
    suite = ET.parse(folder / "junit.xml").getroot()[0]  # noqa: S314 (ours)
    assert suite.attrib["failures"] == "1"
    # Two lines: the verdict and the report.
    assert len(again.stdout.splitlines()) == 2
