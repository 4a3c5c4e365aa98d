"""A protected host stays protected under another environment and another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_runner.configuration.reading import load_configuration
from qa_runner.configuration.schema import Configuration, EnvironmentEntry, TargetEntry
from qa_runner.errors import TargetError, UsageError
from qa_runner.load.limits import Limits
from qa_runner.targets.approval import Approval

ADDRESSES = {
    "api.shop.example": ["192.0.2.7", "2001:db8::7"],
    "alias.example": ["192.0.2.7"],
    "mapped.example": ["::ffff:192.0.2.7"],
    "six.example": ["2001:db8:0::0007"],
    "staging.example": ["192.0.2.8"],
    "hosts-file.example": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "127.0.0.1": ["127.0.0.1"],
    "127.0.0.2": ["127.0.0.2"],
    "192.0.2.7": ["192.0.2.7"],
}
MANY = ("alias.example", "mapped.example", "six.example", "staging.example", "192.0.2.7")


class Names:
    """Resolves what is listed above, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        if host not in ADDRESSES:
            raise TargetError(f"cannot resolve {host}")
        return ADDRESSES[host]


@pytest.fixture
def names() -> Names:
    return Names()


def approval(host: str, environment: str, *production: str, confirm: str = "") -> Approval:
    """Of a target that says so, where production lists these hosts."""
    configuration = Configuration(
        environments={
            "staging": EnvironmentEntry(hosts=(*MANY, "api.shop.example", "127.0.0.1")),
            "production": EnvironmentEntry(hosts=production, max_users=3),
        }
    )
    entry = TargetEntry(url=f"http://{host}:8765/api", environment=environment)
    return Approval.of("shop", entry, configuration, confirm=confirm)


@pytest.mark.parametrize(
    ("host", "listed", "said"),
    [
        ("api.shop.example", "API.shop.example", "api.shop.example belongs to it"),
        ("alias.example", "api.shop.example", "has the address of its host api.shop.example"),
        ("mapped.example", "api.shop.example", "has the address of its host api.shop.example"),
        ("six.example", "api.shop.example", "has the address of its host api.shop.example"),
        ("192.0.2.7", "api.shop.example", "has the address of its host api.shop.example"),
        ("alias.example", "192.0.2.7", "has the address of its host 192.0.2.7"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1 belongs to it"),
        ("127.0.0.1", "localhost", "has the address of its host localhost"),
    ],
)
def test_a_staging_target_that_is_production(
    names: Names, host: str, listed: str, said: str
) -> None:
    listing = ("no-such-host.example", listed)
    with pytest.raises(UsageError, match="the environment production is protected") as refused:
        approval(host, "staging", *listing).limits(names)
    assert said in str(refused.value)
    assert f"--confirm {host}" in str(refused.value)
    with pytest.raises(UsageError, match="is not the host of the target"):
        approval(host, "staging", *listing, confirm="other.example").limits(names)
    limits = approval(host, "staging", *listing, confirm=host).limits(names)
    assert (limits.environment, limits.most_users) == ("production", 3)
    assert limits.addresses == tuple(ADDRESSES[host])


def test_a_local_target_that_is_production(names: Names) -> None:
    for listed in ("localhost", "127.0.0.1"):
        with pytest.raises(UsageError, match="--confirm localhost"):
            approval("localhost", "local", listed).limits(names)
        confirmed = approval("localhost", "local", listed, confirm="localhost").limits(names)
        assert confirmed.environment == "production"
    bare = Approval.of(
        "http://localhost:8765",
        None,
        Configuration(
            environments={"live": EnvironmentEntry(hosts=("localhost",), protected=True)}
        ),
    )
    with pytest.raises(UsageError, match="the environment live is protected, and localhost"):
        bare.limits(names)


@pytest.mark.parametrize(
    ("host", "environment", "listed"),
    [
        ("staging.example", "staging", "api.shop.example"),
        ("staging.example", "staging", "no-such-host.example"),
        ("localhost", "local", "api.shop.example"),
        # What a hosts file leads here is not all that runs here.
        ("localhost", "local", "hosts-file.example"),
        ("localhost", "local", "127.0.0.2"),
        ("127.0.0.1", "staging", "hosts-file.example"),
    ],
)
def test_a_target_that_is_another(names: Names, host: str, environment: str, listed: str) -> None:
    assert approval(host, environment, listed).limits(names).environment == environment


def test_the_addresses_at_the_moment_of_the_load_count(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa_runner.targets.approval.resolve", names)
    target = approval("staging.example", "staging", "api.shop.example")
    target.permit("staging.example", ["192.0.2.8"])
    with pytest.raises(UsageError, match="is protected"):
        target.permit("staging.example", ["192.0.2.8", "2001:db8::7"])


def test_hosts_are_looked_up_once_and_only_if_it_matters(names: Names) -> None:
    here = approval("localhost", "local", "api.shop.example")
    here.limits(names)
    assert names.asked == ["localhost"]
    there = approval("staging.example", "staging", "api.shop.example", "no-such-host.example")
    there.limits(names)
    there.limits(names)
    assert names.asked[1:] == [
        "staging.example",
        "api.shop.example",
        "no-such-host.example",
        "staging.example",
    ]


TOML = """
[targets.shop]
url = "http://localhost:8765"
[environments.production]
hosts = ["${SHOP_LIVE_HOST}"]
"""


def test_a_host_that_a_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: Names
) -> None:
    (tmp_path / "qa-runner.toml").write_text(TOML)
    configuration = load_configuration(tmp_path / "qa-runner.toml", tmp_path)
    entry = configuration.targets["shop"]
    monkeypatch.delenv("SHOP_LIVE_HOST", raising=False)
    # Who tests a local server need not know it.
    unset = Approval.of("shop", entry, configuration).limits(names)
    assert unset == Limits(addresses=("127.0.0.1", "::1"))
    monkeypatch.setenv("SHOP_LIVE_HOST", "localhost")
    with pytest.raises(UsageError, match="--confirm localhost"):
        Approval.of("shop", entry, configuration).limits(names)
