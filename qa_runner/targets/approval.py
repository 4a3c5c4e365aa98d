"""Whether a run may load its target: asked before anything is sent, and again right before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qa_runner.configuration.schema import Configuration, EnvironmentEntry, TargetEntry
from qa_runner.configuration.target import environment_entry
from qa_runner.errors import TargetError, UsageError
from qa_runner.load.limits import Limits
from qa_runner.protection.environments import LOCAL, is_protected
from qa_runner.protection.permission import permitted, permitted_url
from qa_runner.protection.protected_hosts import ProtectedHost, protected_as, protected_hosts
from qa_runner.targets.url import parse_url, resolve

__all__ = ["Approval", "Resolver"]

Resolver = Callable[[str, int], Sequence[str]]
"""From a host name and a port to all its addresses."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What the user said about loading a target: in the configuration, and with --confirm.

    ``entry`` is None for a bare URL; ``environment`` is what the configuration has about the
    target's, None if nothing; ``named`` says whether the command names the target itself.
    ``protected`` are the hosts of all protected environments.
    """

    url: str
    entry: TargetEntry | None
    environment: EnvironmentEntry | None
    confirm: str = ""
    named: bool = True
    protected: tuple[ProtectedHost, ...] = ()
    # Looked up once: a name that does not resolve may take its time to say so.
    _known: dict[str, Sequence[str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(
        cls,
        url: str,
        entry: TargetEntry | None,
        configuration: Configuration,
        *,
        confirm: str = "",
        named: bool = True,
    ) -> Approval:
        """That of the target ``entry``, or of a bare ``url``."""
        name = LOCAL if entry is None else entry.environment
        return cls(
            url=url if entry is None else entry.url,
            entry=entry,
            environment=environment_entry(configuration, name),
            confirm=confirm,
            named=named,
            protected=protected_hosts(_protected_environments(configuration)),
        )

    def limits(self, resolver: Resolver = resolve) -> Limits:
        """Within what limits the target may be loaded, at the addresses that it has now.

        Raises UsageError if it may not be, TargetError if its name does not resolve.
        """
        parts, port = parse_url(self.url)
        return self._limits(resolver(parts.hostname or "", port), resolver)

    def permit(self, host: str, addresses: Sequence[str]) -> None:
        """Raise UsageError if the target may not be loaded at these addresses of its ``host``."""
        del host  # it is that of the URL
        self._limits(addresses, resolve)

    def _limits(self, addresses: Sequence[str], resolver: Resolver) -> Limits:
        parts, port = parse_url(self.url)
        counts_as = protected_as(
            parts.hostname or "",
            addresses,
            self.protected,
            lambda host: self._addresses(host, port, resolver),
        )
        if self.entry is None:
            return permitted_url(
                self.url, self.environment, addresses, self.confirm, counts_as=counts_as
            )
        return permitted(
            self.entry,
            self.environment,
            addresses,
            self.confirm,
            named=self.named,
            counts_as=counts_as,
        )

    def _addresses(self, host: str, port: int, resolver: Resolver) -> Sequence[str]:
        """Those of a protected host; none if it does not resolve: then its name is all there is."""
        if host not in self._known:
            try:
                self._known[host] = resolver(host, port)
            except TargetError:
                self._known[host] = ()
        return self._known[host]


def _protected_environments(configuration: Configuration) -> dict[str, EnvironmentEntry]:
    """Those that are configured, as far as the variables that they name are set."""
    found: dict[str, EnvironmentEntry] = {}
    for name, raw in configuration.environments.items():
        if not is_protected(name, raw):
            continue
        try:
            found[name] = environment_entry(configuration, name) or raw
        except UsageError:
            # Only those of the target's own environment need be set.
            found[name] = raw
    return found
