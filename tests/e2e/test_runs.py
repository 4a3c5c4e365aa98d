"""Running, rerunning, rendering again, and the history, as a user does it."""

from __future__ import annotations

import html
import itertools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import Answer, Cli, Server, criteria, reply

from qa_runner.store import RunReader

Write = Callable[..., None]
RUN = ("run", "purchase-006", "--profile", "smoke")
SELECTED = ("--step", "2", "--step", "3.1", "--step", "3.2", "--step", "8.2")
SHORT = ("--set", "5.1.watch=2", "--set", "5.1.idle=0.5", "--set", "5.1.every=0.3")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run of selected parts; tests work on copies."""
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    output = tmp_path_factory.mktemp("finished")
    done = subprocess.run(
        [sys.executable, "-m", "qa_runner", *RUN, *SELECTED, "--output", output.name],
        cwd=output.parent,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "artifacts"))


def run_folder(output: Path) -> Path:
    return next((output / "purchase-006").glob("run-*"))


def load(output: Path) -> dict[str, Any]:
    return json.loads((run_folder(output) / "run.json").read_text())


def test_a_run_leaves_what_the_readme_promises(output: Path) -> None:
    folder = run_folder(output)
    assert re.fullmatch(r"run-\d{8}-\d{6}", folder.name)
    for name in ("run.json", "report.html", "server.log", "figures", "samples", "series"):
        assert (folder / name).exists(), name
    figures = {path.name for path in (folder / "figures").glob("0*.png")}
    assert "02_single_request_performance.png" in figures
    assert "08_recovery_and_cleanup_verified.png" in figures
    run = load(output)
    assert run["schema_version"] == 2
    assert run["status"] == "finished"
    assert run["scope"] == "profile smoke, steps 2, 3.1, 3.2, 8.2 only"
    for criterion in criteria(run).values():
        assert {"id", "metric", "measured", "unit", "limit", "verdict", "source"} <= set(criterion)
        assert criterion["verdict"] == criterion["verdict"].upper()


def test_nothing_of_a_run_holds_the_place_it_ran_in(output: Path, finished: Path) -> None:
    for name in ("run.json", "report.html"):
        text = (run_folder(output) / name).read_text()
        assert str(finished) not in text


def test_the_history_notes_that_it_is_no_pass_of_the_case(output: Path) -> None:
    runs = (output / "purchase-006" / "runs.csv").read_text().splitlines()
    assert runs[0] == (
        "run_id,timestamp,overall_result,steps_passed,steps_failed,target,environment,notes"
    )
    assert "PASS (profile smoke" in runs[1]
    latest = (output / "latest_runs.csv").read_text().splitlines()
    assert latest[0] == (
        "test_id,test_name,description,last_run,overall_status,total_runs,pass_count,fail_count"
    )
    assert latest[1].endswith(",1,0,0")


def test_rendering_again_elsewhere_gives_the_same_bytes(output: Path, cli: Cli) -> None:
    folder = run_folder(output)
    before = {
        path: path.read_bytes() for path in [folder / "report.html", *folder.glob("figures/*")]
    }
    moved = output.parent / "elsewhere" / "renamed"
    shutil.copytree(folder, moved)
    shutil.rmtree(moved / "figures")
    (moved / "report.html").unlink()
    done = cli("report", str(moved), TZ="Asia/Tokyo", LANG="C")
    assert done.code == 0, done.stderr
    for path, content in before.items():
        assert (moved / path.relative_to(folder)).read_bytes() == content, path.name


def test_the_command_for_a_rerun_finds_the_run_again(finished: Path) -> None:
    folder = run_folder(finished)
    command = f"qa-runner rerun {folder.name} --step 3 --output {finished.name}"
    assert command in html.unescape((folder / "report.html").read_text())


def test_rerun_changes_only_its_step_and_the_overall_verdict(
    output: Path, cli: Cli, no_orphans: None
) -> None:
    before = load(output)
    done = cli("rerun", "--step", "3")
    assert done.code == 0, done.stdout + done.stderr
    after = load(output)
    assert after["run_id"] == before["run_id"]
    assert [s for s in after["steps"] if s["number"] != 3] == [
        s for s in before["steps"] if s["number"] != 3
    ]
    old, new = (next(s for s in run["steps"] if s["number"] == 3) for run in (before, after))
    assert new["attempts"][0] == old["attempts"][0]
    assert [attempt["number"] for attempt in new["attempts"]] == [1, 2]
    assert all({"number", "started", "verdict", "parts"} <= set(a) for a in new["attempts"])
    # A rerun is of the whole step, so all its parts are there now, and its own criteria judged.
    assert [part["id"] for part in new["attempts"][1]["parts"]] == ["3.1", "3.2", "3.3", "3.4"]
    assert "3-success-rate" in criteria(after)
    page = (run_folder(output) / "report.html").read_text()
    assert "Attempt 2 of 2 (attempt 1: PASS)" in page
    # Everything that both attempts acknowledged is accounted for.
    done = cli("rerun", "purchase-006", "--step", "8", "--json")
    assert done.code == 0, done.stderr
    judged = criteria(done.run)
    assert judged["8.2-unaccounted-transactions"]["verdict"] == "PASS"
    assert judged["8.2-users-without-balance"]["verdict"] == "PASS"


def test_a_rerun_that_measures_nothing_leaves_the_run_as_it_was(output: Path, cli: Cli) -> None:
    path = run_folder(output) / "run.json"
    gone = json.loads(path.read_text())
    gone["target"] |= {"name": "url", "url": "http://127.0.0.1:1"}
    path.write_text(json.dumps(gone))
    done = cli("rerun", "--step", "3")
    assert done.code == 4
    assert "refused" in done.error
    assert load(output) == gone


def test_rerun_of_the_baseline_marks_what_used_it_as_stale(output: Path, cli: Cli) -> None:
    assert cli("rerun", "latest", "--step", "2", "--quiet").code == 0
    steps = {step["number"]: step for step in load(output)["steps"]}
    assert "step 2 was rerun" in steps[8]["stale"]
    assert not steps[3]["stale"]


def test_a_step_whose_facts_are_missing_gets_them_measured_first(cli: Cli, tmp_path: Path) -> None:
    done = cli(*RUN, "--step", "8.2", "--cleanup", "--json")
    assert done.code == 0, done.stderr
    run = done.run
    steps = {step["number"]: step for step in run["steps"]}
    assert steps[2]["attempts"]
    assert not steps[2]["selected"]
    assert "Step 2 was run first" in " ".join(run["notes"])
    # --cleanup: what was created is gone, and the report says how much it was.
    (folder,) = (tmp_path / "artifacts" / "purchase-006").glob("run-*")
    created = len(RunReader(folder).all_samples())
    assert run["cleaned_rows"]["transactions"] == created > 0
    assert "removed" in " ".join(run["notes"])
    # And a later check does not miss it.
    again = cli("rerun", "--step", "8", "--json")
    assert criteria(again.run)["8.2-unaccounted-transactions"]["verdict"] == "PASS"


def test_limits_and_parameters_can_be_set_and_the_text_stands_beside(cli: Cli) -> None:
    done = cli(
        *RUN,
        "--step",
        "3.1",
        "--set",
        "3.1.requests=3",
        "--set",
        "3.1.limit.duration=1ms",
        "--json",
    )
    assert done.code == 1, done.stderr
    duration = criteria(done.run)["3.1-duration"]
    assert duration["verdict"] == "FAIL"
    assert duration["limit"] == pytest.approx(0.001)
    assert duration["document_limit"] == 5
    parameter = done.run["steps"][2]["attempts"][0]["parts"][0]["parameters"][0]
    assert parameter["value"] == 3
    assert parameter["document_value"] == 5
    assert "changed parameters" in done.run["scope"]


def test_plain_output_is_lines_with_failures_first_and_the_report_last(cli: Cli) -> None:
    done = cli(*RUN, "--step", "3.1", "--set", "3.1.limit.duration=1ms")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("report artifacts/purchase-006/run-")
    table = done.stdout.index("verdict ")
    assert "3.1-duration" in done.stdout[table : done.stdout.index("\nsteps  ")]
    assert any(line.startswith("likely cause  3.1-duration: ") for line in lines[-3:-1])


def test_quiet_is_the_verdict_and_the_report(cli: Cli) -> None:
    done = cli(*RUN, "--step", "3.1", "--quiet")
    verdict, report = done.stdout.splitlines()
    assert "PASS of profile smoke, step 3.1 only  PURCHASE-006" in verdict
    assert report.endswith("report.html")


def test_runs_lists_the_history(output: Path, cli: Cli) -> None:
    listed = cli("runs")
    assert run_folder(output).name in listed.stdout
    assert "PASS (profile smoke" in listed.stdout
    assert json.loads(cli("runs", "PURCHASE-006", "--json").stdout)[0]["target"] == "demo"


# -------------------------------------------------------------------- a target by URL


def purchase_answer(headers: dict[str, str] | None = None) -> Answer:
    numbers = itertools.count(1)

    def answer(handler: Any) -> None:
        number = next(numbers)
        body = json.dumps(
            {
                "success": True,
                "transaction_id": number,
                "payment_intent_id": f"pi_{number}",
                "client_secret": "s",
            }
        )
        reply(handler, 201, body, headers=headers)

    return answer


def test_what_a_url_does_not_offer_is_inconclusive(cli: Cli, server: Server) -> None:
    parts = ("--step", "1", "--step", "3.1", "--step", "5.1", *SHORT)
    done = cli(*RUN, "--target", server(purchase_answer()), *parts, "--json")
    assert done.code == 4, done.stderr
    judged = criteria(done.run)
    assert judged["3.1-success-rate"]["verdict"] == "PASS"
    assert judged["1.1-server-processes"]["verdict"] == "PASS"
    for name in ("1.1-database-probe-answers", "3.1-lock-errors"):
        assert judged[name]["verdict"] == "INCONCLUSIVE"
        assert "not known" in judged[name]["reason"]
    # Nor is anything told of the time inside, which is no fault of a server.
    for name, what in (("database-time-p95", "database time"), ("query-count-drift", "number")):
        assert f"5.1-{name}" not in judged
        assert f"5.1-{name}: the target sends no {what}" in " ".join(done.run["excluded"])


def test_criteria_without_their_source_are_no_part_of_the_run_and_said_to_be(
    cli: Cli, server: Server
) -> None:
    few = ("--set", "7.1.requests=10", "--set", "7.1.users=2")
    done = cli(*RUN, "--target", server(purchase_answer()), "--step", "7", *few, "--json")
    assert done.code == 0, done.stderr
    assert done.run["excluded"] == ["7.1-unlogged-server-errors: the server's log is not known"]
    assert "1 more does not apply" in done.run["reason"]
    assert "7.1-unlogged-server-errors" not in criteria(done.run)


def test_server_timing_is_judged_where_it_is_sent(cli: Cli, server: Server) -> None:
    url = server(purchase_answer({"Server-Timing": 'db;dur=150.0;desc="7 queries"'}))
    done = cli(*RUN, "--target", url, "--step", "5.1", *SHORT, "--json")
    judged = criteria(done.run)
    assert judged["5.1-database-time-p95"]["verdict"] == "FAIL"
    assert judged["5.1-database-time-p95"]["measured"] == pytest.approx(150)
    assert judged["5.1-query-count-drift"]["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((200, "<html>hello</html>", "text/html", {}), "was not answered by the API"),
        ((301, "", "text/html", {"Location": "https://elsewhere.example/"}), "redirect"),
        ((404, "<html>no</html>", "text/html", {}), "set the path with --set case.path="),
        ((400, '{"error": "unknown plan"}', "application/json", {}), "rejected"),
        ((500, "<html>oops</html>", "text/html", {}), "other than a JSON object"),
    ],
)
def test_a_target_that_is_not_the_api_is_told_before_any_load(
    cli: Cli, server: Server, tmp_path: Path, told: tuple[int, str, str, dict[str, str]], words: str
) -> None:
    asked = []

    def answer(handler: Any) -> None:
        asked.append(handler.path)
        reply(handler, *told)

    done = cli(*RUN, "--target", server(answer))
    assert done.code == 4
    assert words in done.error
    assert not (tmp_path / "artifacts").exists()
    assert len(asked) == 1


def test_a_rate_limit_that_answers_the_first_request_ends_the_run(
    cli: Cli, server: Server, tmp_path: Path
) -> None:
    asked = []

    def answer(handler: Any) -> None:
        asked.append(handler.path)
        reply(handler, 429, "{}", "application/json", {"Retry-After": "60"})

    done = cli(*RUN, "--target", server(answer))
    assert done.code == 3
    assert "Retry-After: 60" in done.stdout
    run = load(tmp_path / "artifacts")
    assert run["status"] == "stopped"
    assert "rate limit" in run["stop_reason"]
    assert len(asked) == 1


def test_a_target_that_never_answers(cli: Cli, server: Server) -> None:
    import time  # noqa: PLC0415

    done = cli(*RUN, "--target", server(lambda _handler: time.sleep(30)))
    assert done.code == 4
    assert "no answer" in done.error


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("http://127.0.0.1:1", 4, "refused"),
        ("http://no-such-host.invalid", 4, "cannot resolve"),
        ("http://192.0.2.1", 2, "not this machine"),
        ("ftp://127.0.0.1", 2, "http://"),
        ("somewhere", 2, "unknown target"),
    ],
)
def test_a_target_that_is_not_there(
    cli: Cli, tmp_path: Path, url: str, code: int, words: str
) -> None:
    done = cli(*RUN, "--target", url)
    assert done.code == code
    assert words in done.error
    assert not (tmp_path / "artifacts").exists()


# -------------------------------------------------------------------- words that are off


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "PURCHASE-007"), "PURCHASE-006"),
        ((*RUN, "--step", "9"), "Valid: 1, 2, 3, 4, 5, 6, 7, 8"),
        ((*RUN, "--step", "3.9"), "3.1, 3.2, 3.3, 3.4"),
        ((*RUN, "--set", "3.1.speed=9"), "requests"),
        ((*RUN, "--set", "3.1.requests=many"), "whole number"),
        ((*RUN, "--set", "nonsense"), "PART.PARAMETER=VALUE"),
        (("run", "purchase-006", "--profile", "tiny"), "full, smoke"),
        ((*RUN, "--fault", "leek"), "Did you mean leak?"),
        ((*RUN, "--fault", "leak", "--target", "http://127.0.0.1:1"), "embedded target only"),
        (("rerun", "--step", "3"), "no runs below"),
        (("rerun", "--step", "3.1"), "whole step"),
        (("report", "run-20200101-000000"), "no runs below"),
        (("demo", "--fault", "nope"), "Valid:"),
    ],
)
def test_words_that_are_off_get_one_line(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    done = cli(*arguments)
    assert done.code == 2
    assert words in done.error


def test_an_output_folder_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = cli(*RUN, "--step", "3.1", "--output", "file/below")
    assert done.code == 2
    assert "cannot write" in done.error


def test_a_damaged_or_newer_run_is_refused_and_left_alone(output: Path, cli: Cli) -> None:
    path = run_folder(output) / "run.json"
    good = path.read_text()
    for content, words in (
        (good[: len(good) // 2], "damaged"),
        (good.replace('"schema_version": 2', '"schema_version": 99'), "upgrade qa-runner"),
        ("", "damaged"),
    ):
        path.write_text(content)
        for command in (("report",), ("rerun", "--step", "3")):
            done = cli(*command)
            assert done.code == 2
            assert words in done.error
            assert path.read_text() == content


def test_colour_heeds_no_color(cli: Cli) -> None:
    assert "\x1b" not in cli("run", "nothing", NO_COLOR="1").stderr


# -------------------------------------------------------------------- an author's mistakes

CASE = '''
from qa_runner import Step, TestCase, part, RequestTemplate, Burst

class Only(Step):
    """One step."""
    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "Raises", criteria=("success_rate == 100 %",))
    def first(self, ctx):
        request = RequestTemplate(method="GET", url="/health/", success_statuses=(200,))
        ctx.load(Burst(requests=2), request)
        {body}

    @part("1.2", "Goes on", criteria=("success_rate == 100 %",))
    def second(self, ctx):
        ctx.load(Burst(requests=2), RequestTemplate(method="GET", url="/health/"))

class Case(TestCase):
    id = "MINE-001"
    name = "Mine"
    description = "A case of mine"
    steps = (Only,)
'''


@pytest.fixture
def own_case(tmp_path: Path) -> Callable[..., None]:
    def write(body: str, text: str = CASE) -> None:
        folder = tmp_path / "testcases" / "mine_001"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(text.replace("{body}", body))

    return write


def test_an_exception_in_a_step_is_an_error_with_its_cause(cli: Cli, own_case: Write) -> None:
    own_case("raise RuntimeError('the till is <b>open</b>')")
    done = cli("run", "mine-001", "--json")
    assert done.code == 4, done.stderr
    first, second = done.run["steps"][0]["attempts"][0]["parts"]
    assert first["verdict"] == "ERROR"
    assert "RuntimeError: the till is" in first["error"]
    assert first["criteria"][0]["measured"] == 100
    assert second["verdict"] == "PASS"


def test_a_step_that_exits_does_not_end_the_run(cli: Cli, own_case: Write) -> None:
    own_case("raise SystemExit(0)")
    done = cli("run", "mine-001", "--json")
    assert done.code == 4, done.stderr
    assert "SystemExit" in done.run["steps"][0]["attempts"][0]["parts"][0]["error"]


def test_a_broken_case_breaks_nothing_else(cli: Cli, own_case: Write) -> None:
    own_case("", text="import nothing_of_this_name\n")
    listed = cli("list")
    assert listed.code == 0
    assert "PURCHASE-006" in listed.stdout
    assert "nothing_of_this_name" in listed.error
    done = cli("run", "mine-001")
    assert done.code == 2
    assert "line 1" in done.error


def test_the_environment_is_not_needed(cli: Cli) -> None:
    """No HOME, no locale: as in a container."""
    bare = {"HOME": "/nonexistent", "LANG": "C", "LC_ALL": "C", "MPLCONFIGDIR": ""}
    done = cli(*RUN, "--step", "3.1", "--quiet", **bare)
    assert done.code == 0, done.stderr
    assert done.stderr == ""
