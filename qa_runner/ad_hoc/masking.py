"""Keeps what must not be shown out of everything that is: text, JSON, CSV, report."""

from __future__ import annotations

from collections.abc import Iterable

from qa_runner.configuration.secret_values import header_secrets
from qa_runner.redaction import redact
from qa_runner.table import Table

__all__ = ["Mask", "secrets_of"]

_MASKED = "[redacted]"
_SHORTEST = 4
"""Shorter ones would be found in every other word."""
_SHOWN_TEXTS = ("error", "extracted", "excerpt")


def secrets_of(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The values of headers such as Authorization and Cookie, and the credentials within."""
    found = (held for held in header_secrets(headers) if len(held) >= _SHORTEST)
    return tuple(sorted(found, key=len, reverse=True))


class Mask:
    """Redacts text by its form, as everywhere, and the secrets of this load by their value.

    A server may well repeat a token in its error message. E-mail addresses that contain ``keep``
    stay.
    """

    def __init__(self, secrets: tuple[str, ...], keep: str) -> None:
        self._secrets = secrets
        self._keep = keep

    def text(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _MASKED)
        return redact(text, self._keep)

    def samples(self, samples: Table) -> Table:
        """The samples with their texts masked."""
        if not self._secrets:
            # The generator has redacted by form already.
            return samples
        return samples.with_texts(self.text, _SHOWN_TEXTS)
