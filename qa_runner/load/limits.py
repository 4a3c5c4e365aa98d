"""How much a target may be asked for; a value that travels to the generator with each plan."""

from __future__ import annotations

import msgspec

from qa_runner.configuration.schema import ErrorBudget

__all__ = ["ErrorBudget", "Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment permits. None stands for no limit.

    ``addresses`` are the only ones that are connected to; without any, those that the host name
    resolves to. ``most_users`` is of each load: virtual users, or requests in flight;
    ``most_rate`` is in requests per second over all loads, ``most_requests`` over all loads of a
    session. Loads with equal limits share one count and one error budget.
    """

    environment: str = "local"
    addresses: tuple[str, ...] = ()
    most_users: int | None = None
    most_rate: float | None = None
    most_requests: int | None = None
    error_budget: ErrorBudget | None = None

    def after(self, requests: int) -> Limits:
        """What is left of them when so many requests have been sent."""
        if self.most_requests is None:
            return self
        return msgspec.structs.replace(self, most_requests=max(self.most_requests - requests, 0))
