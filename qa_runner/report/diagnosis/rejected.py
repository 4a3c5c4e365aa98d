"""Requests that the server, or the way to it, turns down alike: a row for each known reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, matches
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.table import Mask

__all__ = ["REJECTED", "Rejected"]

_MOSTLY = 0.9


@dataclass(frozen=True)
class Rejected:
    """A rule: what ``pattern`` in error or body, or nearly nothing but ``statuses``, ``means``."""

    rule: str
    means: str
    remedy: str
    pattern: str = r"(?!)"
    statuses: tuple[int, ...] = ()

    def __call__(self, evidence: Evidence) -> list[Finding]:
        """The requests that were turned down for it."""
        tally = Tally()
        for owner in evidence.owners:
            tally.add(owner, self._mask(owner))
        if tally.first is None:
            return []
        cause = f"{tally.words()} {tally.were()} turned down: {self.means}"
        return [tally.finding(rule=self.rule, cause=cause, remedy=self.remedy)]

    def _mask(self, owner: Owner) -> Mask:
        pattern = re.compile(self.pattern, re.IGNORECASE)
        named: Mask = matches(owner.samples, pattern, "error", "excerpt") & ~owner.good
        refused = np.isin(owner.samples.number("status"), self.statuses)
        # One that is refused among many that are served is another matter.
        if (refused & owner.main).sum() >= max(_MOSTLY * owner.main.sum(), 1):
            named |= refused
        return named


REJECTED: tuple[Callable[[Evidence], list[Finding]], ...] = (
    Rejected(
        "csrf",
        "Django asks for its CSRF token, as of a form in a browser",
        "Exempt the API's view (csrf_exempt, or an authentication by token), or send cookie and "
        "X-CSRFToken as headers of the target in qa-runner.toml.",
        r"CSRF (?:verification failed|Failed|token|cookie)",
    ),
    Rejected(
        "disallowed-host",
        "Django does not serve this host name",
        "Add the host of the target's URL to ALLOWED_HOSTS of the server's settings.",
        "DisallowedHost|Invalid HTTP_HOST header",
    ),
    Rejected(
        "wrong-credential",
        "the credential is missing, wrong or has expired",
        "Set bearer_token or headers of the target in qa-runner.toml from an environment "
        "variable, and check what that holds.",
        r"Authentication credentials were not provided|Invalid token|token (?:has )?expired",
        (401, 403),
    ),
    Rejected(
        "untrusted-certificate",
        "its TLS certificate is not trusted on this machine",
        "Add the authority to this machine's certificates (SSL_CERT_FILE), or set verify_tls = "
        "false for the target in qa-runner.toml if that is acceptable for a test.",
        "certificate not trusted|TLS failed",
    ),
    Rejected(
        "unknown-host",
        "its host name cannot be looked up, or there is no way to it",
        "Check the host in the target's URL, and the VPN or network that leads to it.",
        "name not resolved|host unreachable|network unreachable",
    ),
)
"""The rules, in order."""
