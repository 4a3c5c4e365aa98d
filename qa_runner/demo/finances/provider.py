"""The payment provider, simulated: it takes its time and knows each intent by a unique id."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass

from qa_runner.demo.faults import chain

__all__ = ["Intent", "create_intent"]

_LOG = logging.getLogger("purchase_api.provider")
_DELAY_SECONDS = 0.03
_SLOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment that the client may now complete with its secret."""

    id: str
    client_secret: str


def create_intent() -> Intent:
    """Announce a payment to the provider, which answers after some 30 ms."""
    started = time.monotonic()
    intent = chain.charge(_answer)
    elapsed = time.monotonic() - started
    if elapsed > _SLOW_SECONDS:
        _LOG.warning("the payment provider took %.1f s", elapsed)
    return intent


def _answer() -> Intent:
    time.sleep(_DELAY_SECONDS)
    intent_id = f"pi_{secrets.token_hex(12)}"
    return Intent(intent_id, f"{intent_id}_secret_{secrets.token_hex(12)}")
