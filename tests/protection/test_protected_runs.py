"""Whole runs of the command that are refused, or stopped to protect the target."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from answering_site import Answer, AnsweringSite, Seen
from projects.storefront import LIMITED, ShopServer

from qa_runner.report.findings import findings
from qa_runner.report.source import Source
from qa_runner.store import RunReader

RUN = ("run", "PURCHASE-006", "--profile", "smoke")
BUDGET = """
[environments.local.error_budget]
rate = 0.1
seconds = 10.0
requests = 20
"""


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qa_runner", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def refused(folder: Path, *arguments: str) -> str:
    """The one line of a command that ends with 2 and sends nothing."""
    done = command(folder, *arguments)
    assert done.returncode == 2, done.stderr
    assert not (folder / "artifacts").exists()
    (line,) = done.stderr.splitlines()
    return line


def purchases_until(broken: int) -> Callable[..., Answer]:
    """Acknowledge so many purchases, and then no more."""

    def answer(_seen: Seen, number: int) -> Answer:
        if number >= broken:
            return Answer(503, b'{"error": "out of order"}')
        said = {"success": True, "payment_intent_id": f"pi_{number}", "client_secret": "cs"}
        return Answer(201, json.dumps({**said, "transaction_id": number}).encode())

    return answer


def test_a_spent_error_budget_ends_a_run(
    tmp_path: Path, site: Callable[..., AnsweringSite]
) -> None:
    server = site(purchases_until(26))
    target = f'[targets.shop]\nurl = "{server.url}"\n'
    (tmp_path / "qa-runner.toml").write_text(target + BUDGET)
    steps = ("--step", "2", "--step", "3")
    done = command(tmp_path, *RUN, *steps, "--target", "shop", "--json")
    assert done.returncode == 3, done.stderr
    run = json.loads(done.stdout)
    assert run["status"] == "stopped"
    assert "of the requests that ended within 10 s failed (" in run["stop_reason"]
    assert "most often with: HTTP 503: out of order" in run["stop_reason"]
    assert run["reason"].startswith("Stopped: ")
    assert run["stop_reason"] in done.stderr
    attempts = {step["number"]: step["attempts"] for step in run["steps"]}
    assert len(attempts[2]) == 1
    assert attempts[3] == []
    (folder,) = (tmp_path / "artifacts" / "purchase-006").glob("run-*")
    assert "out of order" in (folder / "report.html").read_text()
    assert (folder / "samples" / "step-2-attempt-1.npy").exists()


def test_a_rate_limit_that_begins_in_the_midst_of_a_run_ends_it(
    tmp_path: Path, site: Callable[..., AnsweringSite]
) -> None:
    begin = purchases_until(26)

    def answer(seen: Seen, number: int) -> Answer:
        limited = Answer(429, b'{"error": "slow down"}')
        return limited if number >= 26 else begin(seen, number)

    server = site(answer)
    done = command(tmp_path, *RUN, "--step", "2", "--step", "3", "--target", server.url, "--json")
    assert done.returncode == 3, done.stderr
    run = json.loads(done.stdout)
    assert run["stop_reason"].startswith("a rate limit answers: 429 for 25 times in a row, after ")
    assert "HTTP 429: slow down" in run["stop_reason"]
    (folder,) = (tmp_path / "artifacts" / "purchase-006").glob("run-*")
    assert next(row["rule"] for row in findings(Source(RunReader(folder)))["rows"]) == "stopped"
    assert len(server.seen) < 80


def test_a_run_against_a_rate_limit_ends_and_says_why(
    tmp_path: Path, start_shop: Callable[..., ShopServer]
) -> None:
    (tmp_path / "qa-runner.toml").write_text(start_shop().toml("shop", path=LIMITED))
    done = command(tmp_path, "run", "PURCHASE-006", "--target", "shop")
    assert done.returncode == 3, done.stderr
    assert "a rate limit answers" in done.stderr
    assert "(Retry-After)" in done.stderr
    (folder,) = (tmp_path / "artifacts" / "purchase-006").glob("run-*")
    rows = findings(Source(RunReader(folder)))["rows"]
    assert [row["rule"] for row in rows] == ["stopped"]
    assert "the view api.views.limited is limited to 10/h" in rows[0]["sentence"]


@pytest.mark.parametrize("option", [("--target", "shop"), ()])
def test_production_is_refused_until_its_host_is_typed_again(
    tmp_path: Path, site: Callable[..., AnsweringSite], option: tuple[str, ...]
) -> None:
    server = site()
    (tmp_path / "qa-runner.toml").write_text(
        f'default_target = "shop"\n[targets.shop]\nurl = "{server.url}"\n'
        'environment = "production"\n[environments.production]\nhosts = ["127.0.0.1"]\n'
    )
    if not option:
        assert "with --target" in refused(tmp_path, *RUN, "--confirm", "127.0.0.1")
        return
    assert "--confirm 127.0.0.1" in refused(tmp_path, *RUN, *option)
    assert "is not the host" in refused(tmp_path, *RUN, *option, "--confirm", "127.0.0.2")
    # Confirmed, it is only what the environment allows that stands in the way.
    line = refused(tmp_path, *RUN, *option, "--confirm", "127.0.0.1")
    assert "the environment production allows 10 users at a time (max_users)" in line
    assert "part 3.2 asks for 15 (--set 3.2.requests=10)" in line
    assert "part 3.4 asks for 50 (--set 3.4.stairs=1,2,5,10)" in line
    assert len(server.seen) == 0


def test_another_machine_is_refused_before_any_packet(tmp_path: Path) -> None:
    line = refused(tmp_path, *RUN, "--target", "http://192.0.2.1:8000")
    assert "192.0.2.1 (192.0.2.1) is not this machine" in line
    assert 'environments.staging.hosts = ["192.0.2.1"]' in line


def test_a_host_of_production_is_refused_whatever_its_target_claims(
    tmp_path: Path, site: Callable[..., AnsweringSite]
) -> None:
    server = site()
    (tmp_path / "qa-runner.toml").write_text(
        f'[targets.shop]\nurl = "http://localhost:{server.port}"\n'
        '[environments.production]\nhosts = ["localhost"]\n'
    )
    line = refused(tmp_path, *RUN, "--target", "shop")
    assert "the environment production is protected, and localhost belongs to it" in line
    line = refused(tmp_path, *RUN, "--target", "shop", "--confirm", "localhost")
    assert "the environment production allows 10 users at a time" in line
    assert "--confirm 127.0.0.1" in refused(tmp_path, *RUN, "--target", server.url)
    load = refused(tmp_path, "load", f"{server.url}/")
    assert "127.0.0.1 has the address of its host localhost" in load
    assert len(server.seen) == 0
