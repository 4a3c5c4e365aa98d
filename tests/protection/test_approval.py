"""Approval by what a name resolves to, for runs and for single loads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from answering_site import Answer, AnsweringSite
from click.testing import CliRunner, Result

from qa_runner.ad_hoc.approval import approve
from qa_runner.ad_hoc.options import LoadOptions, plan_load
from qa_runner.cli import main
from qa_runner.configuration.schema import Configuration, EnvironmentEntry, TargetEntry
from qa_runner.errors import UnknownName, UsageError
from qa_runner.load.limits import Limits
from qa_runner.protection import addresses
from qa_runner.protection.destination import is_target
from qa_runner.targets.approval import Approval

Start = Callable[..., AnsweringSite]


def here_only(address: str) -> bool:
    """As if 127.0.0.2 were another machine: nothing is sent to real ones."""
    return address == "127.0.0.1"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], list[str]]:
    """A resolver under which shop.example is 127.0.0.2, which counts as another machine."""
    monkeypatch.setattr(addresses, "is_loopback", here_only)
    monkeypatch.setattr("qa_runner.protection.permission.is_loopback", here_only)

    def resolver(host: str, _port: int) -> list[str]:
        return {"shop.example": ["127.0.0.2"], "both.example": ["127.0.0.1", "127.0.0.2"]}.get(
            host, ["127.0.0.1"]
        )

    return resolver


STAGING = Configuration(
    environments={"staging": EnvironmentEntry(hosts=("shop.example",), max_users=4)}
)


def test_a_name_is_all_of_its_addresses(foreign: Callable[[str, int], list[str]]) -> None:
    bare = Approval.of("http://both.example:8000", None, Configuration())
    with pytest.raises(UsageError, match=r"both\.example \(127\.0\.0\.2\) is not this machine"):
        bare.limits(foreign)
    assert Approval.of("http://x.example:8000", None, Configuration()).limits(foreign) == Limits(
        addresses=("127.0.0.1",)
    )


def test_a_name_that_leads_elsewhere_later_is_refused_then(
    foreign: Callable[[str, int], list[str]],
) -> None:
    approval = Approval.of("http://rebound.example", None, Configuration())
    approval.limits(lambda *_: ["127.0.0.1"])
    with pytest.raises(UsageError, match="is not this machine"):
        approval.limits(lambda *_: foreign("shop.example", 80))
    with pytest.raises(UsageError, match="is not this machine"):
        approval.permit("rebound.example", ["127.0.0.2"])


def test_a_configured_target_has_the_limits_of_its_environment(
    foreign: Callable[[str, int], list[str]],
) -> None:
    entry = TargetEntry(url="http://shop.example/api", environment="staging")
    limits = Approval.of("shop", entry, STAGING).limits(foreign)
    assert (limits.environment, limits.most_users) == ("staging", 4)
    assert limits.addresses == ("127.0.0.2",)
    assert limits.error_budget is not None


def load(configuration: Configuration, resolver: object, **options: object) -> Limits:
    given = LoadOptions(**{"url": "http://shop.example/?t=1", **options})  # type: ignore[arg-type]
    plan = approve(plan_load(given, "t1"), given, configuration, resolver).plan  # type: ignore[arg-type]
    assert plan.limits is not None
    return plan.limits


def test_a_load_takes_the_environment_that_lists_its_host(
    foreign: Callable[[str, int], list[str]],
) -> None:
    assert load(STAGING, foreign, users=4).environment == "staging"
    assert load(STAGING, foreign, users=4, environment="staging").most_users == 4
    with pytest.raises(UsageError, match=r"5 users at a time.*--users"):
        load(STAGING, foreign, users=5)
    with pytest.raises(UsageError, match=r"list it in qa-runner\.toml"):
        load(Configuration(), foreign)
    with pytest.raises(UsageError, match="not among the hosts of the environment production"):
        load(STAGING, foreign, environment="production", confirm="shop.example")
    with pytest.raises(UnknownName, match=r"unknown environment 'stagin'.*staging"):
        load(STAGING, foreign, environment="stagin")


def test_a_load_whose_host_is_in_two_environments(
    foreign: Callable[[str, int], list[str]],
) -> None:
    entry = EnvironmentEntry(hosts=("shop.example",))
    both = Configuration(environments={"staging": entry, "production": entry})
    with pytest.raises(UsageError, match="staging and production; choose one with --environment"):
        load(both, foreign)
    with pytest.raises(UsageError, match=r"--confirm shop\.example"):
        load(both, foreign, environment="production")
    confirmed = load(
        both, foreign, environment="production", confirm="shop.example", users=2, requests=9
    )
    assert confirmed.environment == "production"
    with pytest.raises(UsageError, match=r"2,000 requests.*max_requests.*--requests"):
        load(
            both,
            foreign,
            environment="production",
            confirm="shop.example",
            users=1,
            requests=2000,
        )


def test_nobody_asked_for_the_requests_that_a_rate_may_pile_up(
    foreign: Callable[[str, int], list[str]],
) -> None:
    options = LoadOptions(url="http://shop.example/", rate=50.0)
    approved = approve(plan_load(options, "t1"), options, STAGING, foreign)
    assert approved.plan.shape.max_in_flight == 4  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "to_target"),
    [
        ("http://shop.example/api/", True),
        ("https://SHOP.example:8443/", True),
        ("http://127.0.0.1:9/", False),
        ("http://[::1]:9/", False),
    ],
)
def test_where_a_step_may_send(url: str, to_target: bool) -> None:  # noqa: FBT001
    assert is_target(url, "http://shop.example/api") is to_target


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://no-such-host.invalid/", "http://"])
def test_where_a_step_may_not_send(url: str) -> None:
    with pytest.raises(UsageError, match="neither the target nor this machine"):
        is_target(url, "http://127.0.0.1:8000")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["load", *arguments], prog_name="qa-runner")


def test_a_load_that_spends_the_error_budget_of_its_environment(
    site: Start, tmp_path: Path
) -> None:
    server = site(lambda *_: Answer(502, b'{"error": "bad gateway"}'))
    config, page = tmp_path / "mine.toml", tmp_path / "page.html"
    config.write_text('[environments.staging]\nhosts = ["127.0.0.1"]\n')
    options = ("--config", str(config), "--environment", "staging", "--report", str(page))
    done = invoke(f"{server.url}/", "--duration", "60", *options, "--format", "json")
    assert done.exit_code == 3, done.stderr
    summary = json.loads(done.stdout)
    assert summary["status"] == "stopped"
    assert "HTTP 502: bad gateway" in summary["stop_reason"]
    assert "stopped to protect the target: 100 % of the requests" in done.stderr
    assert 20 <= len(server.seen) <= 40
    assert "bad gateway" in page.read_text()


def test_a_load_on_this_machine_has_no_budget_of_its_own(site: Start) -> None:
    server = site(lambda *_: Answer(500, b"{}"))
    done = invoke(f"{server.url}/", "-n", "60", "-u", "2")
    assert done.exit_code == 0, done.stderr
    assert len(server.seen) == 60
