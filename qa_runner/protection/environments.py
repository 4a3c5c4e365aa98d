"""The environments that there are without any configuration, and what a configured one leaves open.

What an entry leaves out is that of the built-in environment of its name; one of another name is
like staging.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from qa_runner.configuration.schema import EnvironmentEntry, ErrorBudget
from qa_runner.load.limits import Limits

__all__ = ["LOCAL", "NAMES", "PRODUCTION", "STAGING", "is_protected", "limits_of"]

_Number = TypeVar("_Number", int, float)

LOCAL, STAGING, PRODUCTION = "local", "staging", "production"
NAMES = (LOCAL, STAGING, PRODUCTION)

_BUDGET = ErrorBudget()  # 10 % over 10 s, of 20 requests or more


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    limits: Limits
    protected: bool = False


_BUILT_IN = MappingProxyType(
    {
        LOCAL: _BuiltIn(Limits()),
        STAGING: _BuiltIn(
            Limits(most_users=100, most_rate=500.0, most_requests=100_000, error_budget=_BUDGET)
        ),
        PRODUCTION: _BuiltIn(
            Limits(most_users=10, most_rate=10.0, most_requests=1_000, error_budget=_BUDGET),
            protected=True,
        ),
    }
)


def is_protected(name: str, entry: EnvironmentEntry | None) -> bool:
    """Whether its host must be typed again; production always is protected."""
    configured = entry is not None and entry.protected
    return configured or _built_in(name).protected


def limits_of(name: str, entry: EnvironmentEntry | None, addresses: tuple[str, ...]) -> Limits:
    """The limits of the environment, for a host with these addresses."""
    built_in = _built_in(name).limits
    entry = entry or EnvironmentEntry()
    return Limits(
        environment=name,
        addresses=addresses,
        most_users=_first(entry.max_users, built_in.most_users),
        most_rate=_first(entry.max_rate, built_in.most_rate),
        most_requests=_first(entry.max_requests, built_in.most_requests),
        error_budget=entry.error_budget or built_in.error_budget,
    )


def _built_in(name: str) -> _BuiltIn:
    return _BUILT_IN.get(name, _BUILT_IN[STAGING])


def _first(given: _Number | None, otherwise: _Number | None) -> _Number | None:
    return otherwise if given is None else given
