"""Who may be tested: decided by name, by every address, and by what was typed again."""

from __future__ import annotations

import pytest

from qa_runner.configuration.schema import EnvironmentEntry, ErrorBudget, TargetEntry
from qa_runner.errors import UsageError
from qa_runner.load.limits import Limits
from qa_runner.protection.addresses import is_loopback, same_host
from qa_runner.protection.permission import permitted, permitted_url

HERE, HERE_TOO, ELSEWHERE = "127.0.0.1", "::1", "192.0.2.7"
HOST = "shop.example"


def entry(environment: str = "staging", url: str = f"https://{HOST}/api") -> TargetEntry:
    return TargetEntry(url=url, environment=environment)


def listing(**settings: object) -> EnvironmentEntry:
    return EnvironmentEntry(hosts=(HOST,), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7", False),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),  # noqa: S104 (not bound: it is every address of this machine)
        ("10.0.0.1", False),
    ],
)
def test_addresses_of_this_machine(address: str, here: bool) -> None:  # noqa: FBT001
    assert is_loopback(address) is here


def test_names_of_hosts_are_compared_without_case() -> None:
    assert same_host("Shop.Example.", "shop.example")
    assert same_host("[::1]", "::1")
    assert not same_host("shop.example", "shop.example.org")


def test_a_bare_url_of_this_machine_has_no_limits() -> None:
    limits = permitted_url("http://localhost:8000", None, [HERE, HERE_TOO])
    assert limits == Limits(environment="local", addresses=(HERE, HERE_TOO))


def test_a_bare_url_of_this_machine_has_the_limits_configured_for_local() -> None:
    budget = ErrorBudget(rate=0.5)
    environment = EnvironmentEntry(max_users=5, error_budget=budget)
    limits = permitted_url("http://localhost:8000", environment, [HERE])
    assert (limits.most_users, limits.error_budget) == (5, budget)


@pytest.mark.parametrize("addresses", [[ELSEWHERE], [HERE, ELSEWHERE], [ELSEWHERE, HERE], []])
def test_a_bare_url_with_one_address_elsewhere_is_refused(addresses: list[str]) -> None:
    with pytest.raises(UsageError, match="is not this machine") as caught:
        permitted_url(f"https://{HOST}/api/", None, addresses)
    message = str(caught.value)
    assert f'targets.NAME.url = "https://{HOST}/api"' in message
    assert 'targets.NAME.environment = "staging"' in message
    assert f'environments.staging.hosts = ["{HOST}"]' in message
    assert "\n" not in message


def test_a_local_target_must_be_local_even_if_its_host_is_listed() -> None:
    with pytest.raises(UsageError, match="another environment"):
        permitted(entry("local"), listing(), [ELSEWHERE])
    assert permitted(entry("local"), None, [HERE]) == Limits(addresses=(HERE,))


@pytest.mark.parametrize("environment", [None, EnvironmentEntry(hosts=("other.example",))])
def test_a_host_that_is_not_listed_is_refused(environment: EnvironmentEntry | None) -> None:
    with pytest.raises(UsageError, match="not among the hosts of the environment staging") as error:
        permitted(entry(), environment, [ELSEWHERE])
    assert f'environments.staging.hosts = ["{HOST}"]' in str(error.value)


def test_loopback_under_another_name_must_be_listed_too() -> None:
    with pytest.raises(UsageError, match="not among the hosts"):
        permitted(entry(), None, [HERE])


def test_what_staging_leaves_open_is_built_in() -> None:
    limits = permitted(entry(), listing(max_rate=7.0), [ELSEWHERE])
    assert limits.error_budget == ErrorBudget(rate=0.1, seconds=10.0, requests=20)
    assert limits.most_rate == 7.0
    assert limits.most_users is not None
    assert limits.most_requests is not None
    assert limits.addresses == (ELSEWHERE,)


def test_an_environment_of_another_name_is_like_staging() -> None:
    limits = permitted(entry("qa"), listing(), [ELSEWHERE])
    staging = permitted(entry(), listing(), [ELSEWHERE])
    assert limits.environment == "qa"
    assert (limits.most_users, limits.error_budget) == (staging.most_users, staging.error_budget)


@pytest.mark.parametrize(
    ("environment", "configured"),
    [("production", listing()), ("qa", listing(protected=True))],
)
def test_a_protected_host_is_typed_again(environment: str, configured: EnvironmentEntry) -> None:
    target = entry(environment)
    with pytest.raises(UsageError, match=f"--confirm {HOST}"):
        permitted(target, configured, [ELSEWHERE])
    with pytest.raises(UsageError, match=r"--confirm shop\.exampel is not the host"):
        permitted(target, configured, [ELSEWHERE], "shop.exampel")
    with pytest.raises(UsageError, match="with --target"):
        permitted(target, configured, [ELSEWHERE], HOST, named=False)
    assert permitted(target, configured, [ELSEWHERE], HOST).environment == environment


def test_production_is_stricter_than_staging() -> None:
    production = permitted(entry("production"), listing(), [ELSEWHERE], HOST)
    staging = permitted(entry(), listing(), [ELSEWHERE])
    assert production.error_budget is not None
    assert (production.most_users or 0) < (staging.most_users or 0)
    assert (production.most_rate or 0) < (staging.most_rate or 0)
    assert (production.most_requests or 0) < (staging.most_requests or 0)


def test_a_wrong_confirmation_is_refused_wherever_it_stands() -> None:
    with pytest.raises(UsageError, match="is not the host of the target"):
        permitted(entry(), listing(), [ELSEWHERE], "other.example")
