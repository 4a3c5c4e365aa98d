"""What the configuration sets in a case: its rank, its origin, its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_runner.configuration.reading import load_configuration
from qa_runner.configuration.schema import Configuration
from qa_runner.errors import UsageError
from qa_runner.prepare import Prepared, prepare, prepare_rerun
from qa_runner.result import ParameterResult, RunResult, TargetResult
from qa_runner.settings import RunSettings
from qa_runner.verdict import Verdict

DEPLOYED = """\
[targets.shop]
url = "http://127.0.0.1:8000"
paths = { "/finances/api/purchase/initiate/" = "/api/v2/purchase/" }
"""
CHANGED = """\
[cases.purchase-006.parameters]
3.1.requests = 8
"3.1.timeout" = "${SECONDS_EACH}"
3.4.stairs = [1, 2]
4.1.duration = 30
"3.1.limit.duration" = "10s"
"3.1.limit.success_rate" = "99 %"
case.plan_id = 2
"""


def configuration(folder: Path, text: str) -> Configuration:
    (folder / "qa-runner.toml").write_text(text)
    return load_configuration(None, folder)


def prepared(folder: Path, text: str, target: str = "demo", **more: object) -> Prepared:
    return prepare(
        RunSettings(
            case="PURCHASE-006", configuration=configuration(folder, text), target=target, **more
        )  # type: ignore[arg-type]
    )


def parameter(ready: Prepared, part: str, name: str) -> ParameterResult:
    parts = {p.definition.id: p for step in ready.case.steps for p in step.parts}
    return {held.name: held for held in parts[part].parameters}[name]


def limit(ready: Prepared, criterion: str) -> tuple[float, float | None]:
    parts = [p for step in ready.case.steps for p in step.parts]
    found = {c.id: c for p in parts for c in p.criteria}[criterion]
    return found.limit, found.document_limit


def test_parameters_and_limits_are_taken_and_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDS_EACH", "7")
    ready = prepared(folder, CHANGED)
    requests = parameter(ready, "3.1", "requests")
    assert (requests.value, requests.document_value, requests.origin) == (8, 5, "configuration")
    assert parameter(ready, "3.1", "timeout").value == 7.0
    assert parameter(ready, "3.4", "stairs").value == (1, 2)
    assert limit(ready, "3.1-duration") == (10.0, 5.0)
    assert limit(ready, "3.1-success-rate") == (99.0, 100.0)
    assert ready.case.parameters["plan_id"] == 2
    assert ready.case.scope == "changed parameters"
    assert "3.1.timeout=7" in ready.case.configured
    assert ready.case.overrides == ()


def test_an_option_outranks_the_configuration_which_outranks_the_profile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDS_EACH", "7")
    options = ("3.1.requests=9", "3.1.limit.duration=20s")
    ready = prepared(folder, CHANGED, assignments=options, profile="smoke")
    requests = parameter(ready, "3.1", "requests")
    assert (requests.value, requests.origin) == (9, "option")
    assert limit(ready, "3.1-duration") == (20.0, 5.0)
    duration = parameter(ready, "4.1", "duration")
    assert (duration.value, duration.origin) == (30.0, "configuration")
    assert parameter(ready, "2.1", "pause").origin == "profile"


def test_paths_of_a_deployment_leave_the_scope_alone(folder: Path) -> None:
    ready = prepared(folder, DEPLOYED, "shop")
    assert ready.case.parameters["path"] == "/api/v2/purchase/"
    assert ready.case.scope == ""
    assert ready.entry is not None
    assert ready.entry.url == "http://127.0.0.1:8000"
    # Another target of the same file is asked at the path of the text.
    assert prepared(folder, DEPLOYED).case.parameters["path"] == "/finances/api/purchase/initiate/"


def test_a_path_given_by_option_is_taken_as_it_stands(folder: Path) -> None:
    text = "/finances/api/purchase/initiate/"
    ready = prepared(folder, DEPLOYED, "shop", assignments=(f"case.path={text}",))
    assert ready.case.parameters["path"] == text


def test_a_path_set_for_the_case_is_replaced_too(folder: Path) -> None:
    text = DEPLOYED + (
        "'/mine/' = '/other/'\n[cases.PURCHASE-006.parameters]\ncase.path = '/mine/'\n"
    )
    text = text.replace('paths = { "', '[targets.shop.paths]\n"').replace(" }", "")
    assert prepared(folder, text, "shop").case.parameters["path"] == "/other/"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"3.1.reqests" = 1', "2: 3.1.reqests: unknown parameter of part 3.1 'reqests'. Did you m"),
        ('"9.1.requests" = 1', "2: 9.1.requests: unknown part '9.1'"),
        ('"case.plan" = 1', "2: case.plan: unknown parameter 'plan'. Did you mean plan_id?"),
        ('"3.1.limit.duraton" = "1s"', "unknown limit of 3.1 'limit.duraton'"),
        ('"3.1.limit.duration" = "1 MB"', "2: 3.1.limit.duration: limit of 3.1-duration: unit"),
        ('"3.1.limit.duration" = 1', "2: 3.1.limit.duration: limit of 3.1-duration: '1' needs a"),
        ('"3.1.requests" = "many"', "2: 3.1.requests: 'many' is not a whole number"),
        ('"3.1.requests" = 0', "2: 3.1.requests: must be above 0"),
        ('"3.1.requests" = 1.5', "2: 3.1.requests: '1.5' is not a whole number"),
        ('"a b.c" = 1', "2: 'a b.c' names no parameter"),
        ('"3.1.word" = "Bearer abcdefgh"', "2: 3.1.word: the value looks like a secret"),
        ('"3.1.word" = "${NOT_SET_HERE}"', "environment variable NOT_SET_HERE is not set"),
    ],
)
def test_what_the_case_does_not_have_is_one_line(folder: Path, text: str, wanted: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepared(folder, f"[cases.PURCHASE-006.parameters]\n{text}")
    message = str(caught.value)
    assert message.startswith("qa-runner.toml:2: ")
    assert wanted in message
    assert "abcdefgh" not in message


def test_an_unknown_case_is_found_whatever_runs(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"qa-runner\.toml:1: cases\.PURCHASE-06: unknown test ca"):
        prepared(folder, "[cases.PURCHASE-06]")


def test_an_unknown_role_is_found(folder: Path) -> None:
    text = DEPLOYED + (
        "[targets.shop.project]\nfolder = '.'\nsettings = 'a'\nmodels.transaction = 'a.B'\n"
    )
    with pytest.raises(UsageError, match=r"toml:7: .*unknown role\. Did you mean transactions\?"):
        prepared(folder, text)


def test_a_path_that_would_replace_nothing_is_found(folder: Path) -> None:
    text = DEPLOYED.replace("initiate/", "initiate")
    with pytest.raises(UsageError, match=r"toml:3: .*no test case asks for this path\. Did you me"):
        prepared(folder, text, "shop")


def test_a_case_of_ones_own_is_known(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"Valid: PURCHASE-006"):
        prepared(folder, "[cases.MINE-1]")
    mine = folder / "testcases" / "mine"
    mine.mkdir(parents=True)
    mine.joinpath("__init__.py").write_text(
        "from qa_runner import Step, TestCase, part\n"
        "class Only(Step):\n"
        "    '''The only one.'''\n"
        "    number, title, figure = 1, 'Only', '01_only'\n"
        "    @part('1.1', 'nothing')\n"
        "    def first(self, ctx):\n"
        "        '''Nothing.'''\n"
        "class Mine(TestCase):\n"
        "    id, name, description, steps = 'MINE-1', 'Mine', 'For tests', (Only,)\n"
    )
    assert prepared(folder, "[cases.MINE-1]").case.definition.id == "PURCHASE-006"


def test_an_unknown_target_lists_all_there_are(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"Did you mean shop\? Valid: demo, shop, a URL such as"):
        prepared(folder, DEPLOYED, "shpo")


def test_faults_belong_to_the_demo(folder: Path) -> None:
    with pytest.raises(UsageError, match="embedded target only, not with shop"):
        prepared(folder, DEPLOYED, "shop", faults=("leak",))


def earlier(**settings: str) -> RunResult:
    return RunResult(
        tool_version="0",
        run_id="run-1",
        test_id="PURCHASE-006",
        test_name="",
        description="",
        status="finished",
        verdict=Verdict.PASS,
        profile="full",
        started="",
        target=TargetResult(name="shop", url="http://127.0.0.1:8000", environment="local"),
        tag="qa",
        settings=settings,
        overrides=["3.1.requests=9"],
        configured=["3.1.requests=8", "3.2.requests=7"],
    )


def test_a_rerun_takes_the_values_of_its_run_and_the_target_of_the_file(folder: Path) -> None:
    run = earlier(target="shop", url="http://127.0.0.1:8000")
    now = configuration(folder, DEPLOYED + "[cases.PURCHASE-006.parameters]\n3.2.requests = 3\n")
    ready = prepare_rerun(run, 3, now)
    assert parameter(ready, "3.1", "requests").value == 9
    assert parameter(ready, "3.2", "requests").value == 7
    assert ready.case.parameters["path"] == "/api/v2/purchase/"
    assert [step.definition.number for step in ready.case.steps if step.selected] == [3]
    assert ready.entry is not None


def test_a_rerun_at_another_address_is_refused(folder: Path) -> None:
    run = earlier(target="shop", url="http://127.0.0.1:9000")
    with pytest.raises(
        UsageError, match=r"is at http://127\.0\.0\.1:8000 now, and was at .*9000 in"
    ):
        prepare_rerun(run, 3, configuration(folder, DEPLOYED))
    with pytest.raises(UsageError, match="unknown target 'shop'"):
        prepare_rerun(run, 3, Configuration())
