"""A run makes the same checks before its first load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from projects.storefront import LIMITED, ShopServer

from qa_runner.check_result import Level
from qa_runner.result import decode

FEW = ("--set", "2.1.requests=2", "--set", "2.2.requests=2")  # of the baseline that 8.2 needs


def run(folder: Path, toml: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "qa-runner.toml").write_text(toml, "utf-8")
    words = ["run", "PURCHASE-006", "--profile", "smoke", *options]
    return subprocess.run(
        [sys.executable, "-m", "qa_runner", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_run_keeps_what_was_found_and_shows_it(shop_server: ShopServer, tmp_path: Path) -> None:
    toml = shop_server.toml().replace(f'log = "{shop_server.shop.log}"', "")
    done = run(tmp_path, toml, "--target", "shop", "--step", "3.1", "--step", "8.2", *FEW)
    warned = next(line for line in done.stdout.splitlines() if line.startswith("warning: where"))
    assert "name the file as log of the target in qa-runner.toml" in warned
    (file,) = tmp_path.glob("artifacts/purchase-006/*/run.json")
    result = decode(file.read_bytes(), "run.json")
    found = {check.id: check for check in result.checks}
    assert found["server-log"].level is Level.WARNING
    assert found["same-database"].level is Level.OK
    page = file.with_name("report.html").read_text("utf-8")
    assert "Checked before the load: " in page
    assert found["same-database"].text in page
    # The one request came after the mark: its purchase is accounted for.
    verdicts = {criterion.id: str(criterion.verdict) for criterion in result.criteria()}
    assert verdicts["8.2-unaccounted-transactions"] == "PASS", done.stdout


def test_a_run_that_would_be_spoilt_is_not_begun(shop_server: ShopServer, tmp_path: Path) -> None:
    done = run(tmp_path, shop_server.toml(path=LIMITED.rstrip("/")), "--target", "shop")
    assert done.returncode == 4
    assert "needs a slash at its end; set the path with --set case.path=" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "artifacts").exists()


def test_a_rate_limit_stops_the_run_before_its_load(
    small_server: str, answers: dict[str, list[tuple[int, dict[str, str], bytes]]], tmp_path: Path
) -> None:
    ids = ("success", "transaction_id", "payment_intent_id", "client_secret")
    bought = (201, {"RateLimit-Remaining": "2"}, json.dumps(dict.fromkeys(ids, 1)).encode())
    refused = (429, {"Retry-After": "3000"}, b'{"detail": "slow down"}')
    answers["/buy/"] = [bought] * 3 + [refused]
    done = run(tmp_path, "", "--target", small_server, "--set", "case.path=/buy/")
    assert done.returncode == 3, done.stdout + done.stderr
    said = "a rate limit answers request 4 of this run, and asks to stay away for 3000 s"
    assert f"stopped to protect the target: {said}" in done.stderr
    (file,) = tmp_path.glob("artifacts/purchase-006/*/run.json")
    result = decode(file.read_bytes(), "run.json")
    assert (result.status, str(result.verdict)) == ("stopped", "INCONCLUSIVE")
    assert [check.id for check in result.checks if check.level is Level.FAILURE] == ["rate-limit"]
    assert said in file.with_name("report.html").read_text("utf-8")
    # An hour that others have used up.
    done = run(tmp_path, "", "--target", small_server, "--set", "case.path=/buy/")
    assert done.returncode == 3, done.stdout + done.stderr
    assert ": 429 with Retry-After: 3000 (HTTP 429: slow down)" in done.stderr
