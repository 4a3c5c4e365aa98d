"""A stop for safety beside one that the user asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from answering_site import AnsweringSite

from qa_runner.configuration.schema import Configuration, EnvironmentEntry
from qa_runner.errors import StopRequested
from qa_runner.load.limits import Limits
from qa_runner.runner import Runner
from qa_runner.settings import RunSettings
from qa_runner.stop import StopToken
from qa_runner.verdict import Verdict


def test_it_says_briefly_that_it_is_for_safety_and_keeps_the_sentence() -> None:
    token = StopToken()
    token.stop("90 % of the requests failed", for_safety=True)
    token.stop("by Ctrl-C")
    with pytest.raises(StopRequested, match=r"^stopped to protect the target$"):
        token.check()
    assert token.for_safety
    assert token.reason == "90 % of the requests failed"


def test_one_that_comes_after_the_user_s_changes_nothing() -> None:
    token = StopToken()
    token.stop("by Ctrl-C")
    token.stop("90 % of the requests failed", for_safety=True)
    with pytest.raises(StopRequested, match="by Ctrl-C"):
        token.check()
    assert not token.for_safety


@pytest.mark.parametrize(("sent", "left"), [(0, 10), (4, 6), (12, 0)])
def test_what_is_left_when_a_new_generator_takes_over(sent: int, left: int) -> None:
    limits = Limits(most_requests=10, most_users=3)
    assert limits.after(sent) == Limits(most_requests=left, most_users=3)
    assert Limits(most_users=3).after(sent) == Limits(most_users=3)


CASE = '''
from qa_runner import Burst, Step, StepContext, TestCase, part, request


class Only(Step):
    """Sends more than it says."""

    number = 1
    title = "Only"
    figure = "01_only"

    @part("1.1", "Some", loads=lambda: Burst(requests=2), criteria=("success_rate == 100 %",))
    def some(self, ctx: StepContext) -> None:
        """Within the limits."""
        ctx.load(Burst(requests=2), request("GET", "/"))

    @part("1.2", "Many", criteria=("success_rate == 100 %",))
    def many(self, ctx: StepContext) -> None:
        """Beyond them, and it swallows what it can."""
        try:
            ctx.load(Burst(requests=30), request("GET", "/"))
        except Exception:
            pass

    @part("1.3", "Never", criteria=("success_rate == 100 %",))
    def never(self, ctx: StepContext) -> None:
        """Not reached."""
        ctx.load(Burst(requests=1), request("GET", "/"))


class Case(TestCase):
    """A case."""

    id = "MANY-1"
    name = "Many"
    description = "For the tests"
    steps = (Only,)
'''


def test_a_load_that_nobody_declared_is_stopped_before_it_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Callable[..., AnsweringSite]
) -> None:
    (tmp_path / "testcases" / "many").mkdir(parents=True)
    (tmp_path / "testcases" / "many" / "__init__.py").write_text(CASE)
    monkeypatch.chdir(tmp_path)
    server = site()
    settings = RunSettings(
        case="MANY-1",
        target=server.url,
        configuration=Configuration(environments={"local": EnvironmentEntry(max_users=5)}),
        output=tmp_path / "artifacts",
    )
    run = Runner([], StopToken(), lambda *_: None).run(settings)
    assert (run.status, run.verdict) == ("stopped", Verdict.INCONCLUSIVE)
    assert run.stop_reason == (
        "part 1.2 asks for 30 users at a time, and the environment local allows 5 (max_users)"
    )
    parts = run.steps[0].attempts[0].parts
    assert [part.verdict for part in parts] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert len(server.seen) == 2
