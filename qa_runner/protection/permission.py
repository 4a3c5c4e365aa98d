"""Whether a target may be tested at all, and with how much load."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from qa_runner.configuration.schema import EnvironmentEntry, TargetEntry
from qa_runner.errors import UsageError
from qa_runner.load.limits import Limits
from qa_runner.protection.addresses import all_loopback, is_loopback, same_host
from qa_runner.protection.environments import LOCAL, is_protected, limits_of
from qa_runner.protection.protected_hosts import ProtectedHost

__all__ = ["permitted", "permitted_url"]


def permitted_url(
    url: str,
    environment: EnvironmentEntry | None,
    addresses: Sequence[str],
    confirm: str = "",
    *,
    counts_as: ProtectedHost | None = None,
) -> Limits:
    """As :func:`permitted`, of a bare URL, which is of this machine or refused.

    ``environment`` is what the configuration has under the name ``local``.
    """
    host = urlsplit(url).hostname or ""
    _refuse_foreign(
        host,
        addresses,
        "name it as a target with an environment in qa-runner.toml, and run --target NAME: "
        f'targets.NAME.url = "{_origin(url)}"; targets.NAME.environment = "staging"; '
        f'environments.staging.hosts = ["{host}"]',
    )
    if counts_as is not None:
        return _as_protected(host, counts_as, addresses, confirm, named=True)
    return limits_of(LOCAL, environment, tuple(addresses))


def permitted(
    entry: TargetEntry,
    environment: EnvironmentEntry | None,
    addresses: Sequence[str],
    confirm: str = "",
    *,
    named: bool = True,
    counts_as: ProtectedHost | None = None,
) -> Limits:
    """The limits within which a configured target may be tested.

    ``environment`` is what the configuration has under the name ``entry.environment``, None if
    nothing; ``addresses`` are all that the host of ``entry.url`` resolves to; ``confirm`` is what
    was typed after --confirm; ``named`` says whether the command names the target itself, rather
    than leave it to the default; ``counts_as`` is the host of a protected environment that this one
    is too: its protection and limits hold then, whatever the target says of its environment.

    Raises UsageError, one line, if it may not be tested: a host that is neither of this machine
    nor listed, or a protected one that was not typed again.
    """
    name, host = entry.environment, urlsplit(entry.url).hostname or ""
    if name == LOCAL:
        _refuse_foreign(
            host,
            addresses,
            "give the target another environment, and list the host there: "
            f'environment = "staging"; environments.staging.hosts = ["{host}"]',
        )
    elif not any(same_host(host, listed) for listed in (environment.hosts if environment else ())):
        raise UsageError(
            f"{host} is not among the hosts of the environment {name}; if it may be loaded, add it "
            f'in qa-runner.toml: environments.{name}.hosts = ["{host}"]'
        )
    if counts_as is not None and not is_protected(name, environment):
        return _as_protected(host, counts_as, addresses, confirm, named=named)
    if is_protected(name, environment):
        _check_protected(host, name, confirm, named=named)
    elif confirm and not same_host(confirm, host):
        raise UsageError(f"--confirm {confirm} is not the host of the target, {host}")
    return limits_of(name, environment, tuple(addresses))


def _refuse_foreign(host: str, addresses: Sequence[str], remedy: str) -> None:
    if all_loopback(addresses):
        return
    foreign = next((address for address in addresses if not is_loopback(address)), "no address")
    raise UsageError(f"{host} ({foreign}) is not this machine; {remedy}")


def _as_protected(
    host: str, counts_as: ProtectedHost, addresses: Sequence[str], confirm: str, *, named: bool
) -> Limits:
    """The limits of the protected environment to which the host belongs."""
    name = counts_as.environment
    other = "" if same_host(host, counts_as.host) else counts_as.host
    _check_protected(host, name, confirm, named=named, other=other)
    return limits_of(name, counts_as.entry, tuple(addresses))


def _check_protected(host: str, name: str, confirm: str, *, named: bool, other: str = "") -> None:
    """``other`` is the host of the environment whose address this one has, if it is another."""
    protected = f"the environment {name} is protected"
    if not named:
        raise UsageError(f"{protected}: name its target with --target, and add --confirm {host}")
    if not confirm:
        belongs = f"has the address of its host {other}" if other else "belongs to it"
        raise UsageError(
            f"{protected}, and {host} {belongs}: if load may be sent there, type its host "
            f"again: --confirm {host}"
        )
    if not same_host(confirm, host):
        raise UsageError(f"{protected}: --confirm {confirm} is not the host of the target, {host}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
