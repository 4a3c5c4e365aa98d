"""The payment provider, simulated."""

import secrets
import time


class ProviderBusy(Exception):
    """The provider answered 429."""


def create_intent(*, busy=False):
    """The reference of a new payment, after some 20 ms.

    Raises ProviderBusy if ``busy``.
    """
    time.sleep(0.02)
    if busy:
        raise ProviderBusy
    return f"pi_{secrets.token_hex(12)}"
