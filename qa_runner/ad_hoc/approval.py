"""Whether the address of an ad-hoc load may be loaded, and with how much."""

from __future__ import annotations

import msgspec

from qa_runner.ad_hoc.options import LoadOptions, LoadTest
from qa_runner.configuration.schema import Configuration, TargetEntry
from qa_runner.errors import UnknownName, UsageError
from qa_runner.load.demand import demand_of, refusal
from qa_runner.load.limits import Limits
from qa_runner.load.plan import ConstantArrivalRate, LoadPlan
from qa_runner.protection.addresses import all_loopback, same_host
from qa_runner.protection.environments import NAMES
from qa_runner.targets.approval import Approval, Resolver
from qa_runner.targets.url import parse_url, resolve

__all__ = ["approve"]


def approve(
    test: LoadTest,
    options: LoadOptions,
    configuration: Configuration,
    resolver: Resolver = resolve,
) -> LoadTest:
    """The load with the limits of its environment.

    Without --environment, that is ``local`` for this machine, or the one that lists the host.
    Raises UsageError if the address may not be loaded, or not with so much; TargetError if its
    name does not resolve.
    """
    url = options.url.partition("?")[0]
    parts, port = parse_url(url)
    host = parts.hostname or ""
    name = options.environment
    if name and name not in (valid := list(dict.fromkeys([*NAMES, *configuration.environments]))):
        raise UnknownName("environment", name, valid)
    if not name and not all_loopback(resolver(host, port)):
        name = _listed(host, configuration)
    entry = TargetEntry(url=url, environment=name) if name else None
    limits = Approval.of(url, entry, configuration, confirm=options.confirm).limits(resolver)
    return msgspec.structs.replace(test, plan=_within(test.plan, limits, options))


def _listed(host: str, configuration: Configuration) -> str:
    """The environment that lists the host."""
    names = [
        name
        for name, environment in configuration.environments.items()
        if any(same_host(host, listed) for listed in environment.hosts)
    ]
    if len(names) == 1:
        return names[0]
    if names:
        raise UsageError(
            f"{host} is in the environments {' and '.join(names)}; choose one with --environment"
        )
    raise UsageError(
        f"{host} is not this machine; list it in qa-runner.toml, and it is loaded within the "
        f'limits of that environment: environments.staging.hosts = ["{host}"]'
    )


def _within(plan: LoadPlan, limits: Limits, options: LoadOptions) -> LoadPlan:
    shape = plan.shape
    if (
        isinstance(shape, ConstantArrivalRate)
        and options.users is None
        and limits.most_users is not None
    ):
        # Nobody asked for so many: it is only how far an unanswered load may pile up.
        most = min(shape.max_in_flight, limits.most_users)
        shape = msgspec.structs.replace(shape, max_in_flight=most)
    excess = refusal(shape, limits)
    if excess:
        option = "--rate" if "req/s" in excess.partition(",")[0] else "--users"
        raise UsageError(f"the load asks for {excess}; lower it with {option}")
    requests = demand_of(shape).requests
    if limits.most_requests is not None and (requests or 0) > limits.most_requests:
        raise UsageError(
            f"the load asks for {requests:,} requests, and the environment {limits.environment} "
            f"allows {limits.most_requests:,} (max_requests); lower it with --requests"
        )
    return msgspec.structs.replace(plan, shape=shape, limits=limits)
